"""The emulator answers as the real service did: what was recorded there is sent to it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.api_caller import CONTACTS, FIELDS, LISTS, SendGrid
from tests.support.recordings import EFFECT_SECONDS, Replay

RECORDED = Path(__file__).parent / "recordings" / "marketing_api_2021.jsonl"
LIMITS = {
    **{f"PUT {CONTACTS}": 200, f"DELETE {CONTACTS}": 200, f"POST {CONTACTS}/search": 200},
    **{f"GET {FIELDS}": 600, f"GET {LISTS}": 600, f"POST {LISTS}": 600},
    **{f"DELETE {LISTS}/{{list_id}}": 600, f"DELETE {LISTS}/{{list_id}}/contacts": 600},
}
NEWER_FIELDS = ("phone_number_id", "external_id", "anonymous_id", "list_ids", "segment_ids")
KNOWN = {
    f"GET {LISTS} body/result/N/identifier_counts: not recorded": "newer [recording 2026]",
    f"POST {LISTS} body/identifier_counts: not recorded": "the same",
    f"GET {LISTS} body/_metadata/count: not recorded": "the API description has it",
    **{
        f"GET {FIELDS} body/reserved_fields/N {name}: not recorded": "newer [recording 2026]"
        for name in NEWER_FIELDS
    },
}
"""Where an answer isn't the recorded one, and why."""


@pytest.fixture
def as_recorded(sendgrid: SendGrid) -> SendGrid:
    """An account with the lists, fields and behaviour of the recorded one."""
    sendgrid.admin.settings(
        delay=EFFECT_SECONDS,
        rate_buckets="list",
        rate_limits=LIMITS,
        segment_ids="null",
    )
    for number in range(1, 7):
        sendgrid.admin.create_list(f"older list {number}")
    for name in ("text", "number", "date"):
        sendgrid.admin.create_field(f"{name}_field", name.capitalize())
    return sendgrid


def test_recorded_exchanges_are_answered_alike(as_recorded: SendGrid) -> None:
    assert Replay(as_recorded).differences(RECORDED) == set(KNOWN)


@pytest.mark.parametrize(
    ("setting", "value", "difference"),
    [
        ("rate_buckets", "path", f"DELETE {LISTS}/{{id}} remaining: 599, not 598"),
        ("email_error_field", "identifier", f"PUT {CONTACTS} body/errors/N/field: another text"),
        (
            "segment_ids",
            "array",
            f"POST {CONTACTS}/search body/result/N/segment_ids: another value",
        ),
    ],
)
def test_another_behaviour_is_noticed(
    as_recorded: SendGrid, setting: str, value: str, difference: str
) -> None:
    as_recorded.admin.settings(**{setting: value})
    assert difference in Replay(as_recorded).differences(RECORDED)


def test_no_address_of_a_person_is_in_a_recording() -> None:
    for line in RECORDED.read_text("utf-8").splitlines():
        for text in json.dumps(json.loads(line)).split('"'):
            assert "@" not in text or "@example.com" in text
