"""Whatever goes wrong during a probe: no wrong answer, nothing left, nothing foreign touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.errors import ConfigError, RetryableError
from contact_sync.config.account_profile import parsed_profile, profile_text
from contact_sync.probe.account import Account
from contact_sync.probe.cleaning import clean
from contact_sync.probe.made import Made, alone, load
from contact_sync.probe.run_probe import ask, begin, profile_of
from contact_sync.sendgrid.raw_calls import RawCalls
from local.sendgrid_emulator.process import Emulator
from tests.integration.probe.conftest import Opened
from tests.integration.probe.test_cleaning import FOREIGN, Killed, contents, kill_at

CONTACTS = "/v3/marketing/contacts"
EXPORT = f"{CONTACTS}/exports/{{export_id}}"
DAY = 86_400.0


def assert_nothing_left(emulated: Emulator, account: Account) -> None:
    """After cleaning up, also a day later."""
    assert clean(account) == []
    emulated.admin.advance(DAY)
    assert contents(emulated) == FOREIGN


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("country_length", ("PUT", CONTACTS, {"nth": 4, "status": 503, "when": "after"})),
        ("json_limit", ("PUT", CONTACTS, {"nth": 1, "status": 408})),
        ("no_ids", ("DELETE", "/v3/marketing/lists/{list_id}/contacts", {"status": 500, "nth": 2,
                                                                        "times": 9})),
        ("write_scopes", ("GET", "/v3/scopes", {"status": 400})),
        ("export_packed", ("GET", EXPORT, {"status": 500, "times": 9})),
    ],
    ids=["upsert", "size", "list removal", "scopes", "export"],
)  # fmt: skip
def test_Q01_an_answer_by_chance_is_none(
    emulated: Emulator, open_account: Opened, code: str, call: tuple[str, str, dict[str, Any]]
) -> None:
    emulated.admin.settings(field_delay=0, many_ids="accept", no_ids="accept")
    account = open_account()
    begin(account)
    method, route, fault = call
    emulated.admin.fault(method, route, **fault)
    why = ask(account, {code})
    assert profile_of(account, why)[code] is None
    assert emulated.admin.faults()["calls"] == [] or "times" in fault  # it was met
    emulated.admin.clear_faults()
    assert_nothing_left(emulated, account)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("csv_empty_text", ("fails_halfway", {"job": "csv", "after_rows": 0})),
        ("csv_iso_date", ("drops_rows", {"job": "csv", "rows": 9})),
        pytest.param("csv_empty_text", ("no_results", {"job": "csv"}), marks=pytest.mark.slow),
        pytest.param("csv_empty_text", ("never_finishes", {"job": "csv"}), marks=pytest.mark.slow),
        pytest.param(
            "csv_ragged_row", ("forgotten_at_once", {"job": "csv"}), marks=pytest.mark.slow
        ),
        ("identifier_missing", ("drops_rows", {"job": "json", "nth": 4, "rows": 1})),
        ("json_bad_phone", ("fails_halfway", {"job": "json", "nth": 4, "after_rows": 0})),
        ("job_seconds", ("forgotten_at_once", {"job": "json", "nth": 2})),
    ],
)
def test_Q02_an_answer_is_unseen_rather_than_wrong(
    emulated: Emulator, open_account: Opened, code: str, fault: tuple[Any, dict[str, Any]]
) -> None:
    emulated.admin.settings(
        field_delay=0, identifiers="ignore", errors_url=False, ragged_rows="error"
    )
    account = open_account()
    begin(account)
    emulated.admin.job_fault(fault[0], **fault[1])
    why = ask(account, {code})
    told = profile_of(account, why)[code]
    assert told in (None, "row") if code == "csv_ragged_row" else told is None
    assert emulated.admin.faults()["jobs"] == []  # it was met
    left = clean(account)
    assert left == [] or fault[0] == "never_finishes"
    assert contents(emulated) == FOREIGN


def test_Q02_a_row_that_gets_lost_among_reported_values_is_not_taken_for_a_reported_one(
    emulated: Emulator, open_account: Opened
) -> None:
    lossy = {"errors_url": False, "row_error": "value", "csv_decimals": "refuse", "csv_dates": "us"}
    emulated.admin.settings(field_delay=0, **lossy)
    account = open_account()
    begin(account)
    emulated.admin.job_fault("drops_rows", job="csv", rows=1)  # the first one
    assert ask(account, {"csv_empty_text", "csv_decimals", "csv_iso_date"}) == {}
    assert account.made.answers["csv_empty_text"][0] == UNSEEN
    assert_nothing_left(emulated, account)


def test_Q02_while_searches_show_nothing_new_nothing_is_concluded(
    emulated: Emulator, open_account: Opened
) -> None:
    emulated.admin.settings(field_delay=0, search_lag=5_000)
    account = open_account()
    begin(account)
    why = ask(account, {"json_empty_text", "list_removal_effect"})
    assert set(why) == {"json_empty_text", "list_removal_effect"}
    with pytest.raises(RetryableError, match="isn't found"):
        clean(account)
    emulated.admin.settings(search_lag=0)
    assert_nothing_left(emulated, account)


@pytest.mark.parametrize("slow", [{"search_lag": 100}, {"delay": 400}], ids=["search", "job"])
def test_Q03_what_a_killed_probe_has_sent_is_awaited_however_long_it_takes(
    emulated: Emulator,
    open_account: Opened,
    monkeypatch: pytest.MonkeyPatch,
    slow: dict[str, float],
) -> None:
    account = open_account()
    begin(account)
    emulated.admin.settings(**slow)
    with monkeypatch.context() as patched:
        kill_at(patched, 3, after=True)  # after a list and an upsert that is refused
        with pytest.raises(Killed):
            ask(account, {"unknown_list", "segment_ids"})
    left = load(account.made.path)
    assert left is not None
    assert_nothing_left(emulated, open_account(left))


def test_Q03_a_5xx_of_an_upsert_may_have_an_effect_later(
    emulated: Emulator, open_account: Opened
) -> None:
    emulated.admin.settings(field_delay=0, delay=60)
    account = open_account()
    begin(account)
    emulated.admin.fault("PUT", CONTACTS, status=500, when="after")
    assert set(ask(account, {"search_lag"})) == {"search_lag"}
    assert_nothing_left(emulated, account)


def test_Q04_a_list_that_somebody_else_makes_meanwhile_is_not_taken_for_its_own(
    emulated: Emulator, open_account: Opened
) -> None:
    account = open_account()
    begin(account)
    emulated.admin.create_list(account.made.list_name)
    before = contents(emulated)
    with pytest.raises(ConfigError, match="its name is taken"):
        ask(account, {"region"})
    assert clean(account) == []
    assert contents(emulated) == before


def test_Q04_a_second_probe_of_a_connection_waits_for_a_person(tmp_path: Path) -> None:
    with (
        alone(tmp_path / "probe_x.json"),
        pytest.raises(ConfigError, match="Another probe"),
        alone(tmp_path / "probe_x.json"),
    ):
        pass
    with alone(tmp_path / "probe_x.json"), alone(tmp_path / "probe_y.json"):
        pass


def test_Q04_an_account_that_cannot_be_read_is_not_taken_for_an_empty_one(
    emulated: Emulator, open_account: Opened
) -> None:
    account = open_account()
    emulated.admin.fault("GET", "/v3/marketing/lists", status=400, times=9)
    with pytest.raises(RetryableError, match="without result"):
        begin(account)
    emulated.admin.clear_faults()
    begin(account)
    account.list_id()
    account.made.list_id = None  # its answer got lost
    emulated.admin.fault("GET", "/v3/marketing/lists", status=200, body="<html>", times=9)
    with pytest.raises(RetryableError, match="without result"):
        clean(account)
    emulated.admin.clear_faults()
    assert_nothing_left(emulated, account)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 1}', '{"version": 2, "token": 7}', '{"version": 2, "x": 1}'],
)
def test_Q05_damaged_notes_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "probe_x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="can't be read"):
        load(path)


def test_Q05_notes_of_another_account_delete_nothing(
    emulated: Emulator, open_account: Opened
) -> None:
    account = open_account()
    begin(account)
    ask(account, {"unknown_list"})
    made = account.made
    emulated.admin.add_key("SG.another", "full")
    other = Account(RawCalls(emulated.base_url, "SG.another"), made, account.clock)
    assert clean(other) == []  # another key of the same account: the probe's list is there
    made.key, made.answers = account.calls.key_mark, {"unknown_list": ("400", "")}
    begin(other)
    assert made.answers == {}  # they may be another account's
    ask(other, {"unknown_list"})
    emulated.admin.reset()  # as if the key led to another account
    emulated.admin.create_field("Status", "Text")
    emulated.admin.put_contacts({"email": made.addresses["unknown list"]})
    assert account.until(lambda: bool(emulated.admin.contacts())) is not None
    before = contents(emulated)
    for step in (clean, begin):
        with pytest.raises(ConfigError, match="another account"):
            step(account)
    assert contents(emulated) == before
    other.calls.close()


def test_Q05_notes_that_cannot_be_written_stop_it_before_it_makes_anything(
    emulated: Emulator, open_account: Opened, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    names = ("sendgrid_probed", "7f3a9c", "probe-{token}-{n}@example.org", "probe's list")
    account = open_account(Made(tmp_path / "file" / "probe.json", *names, 0.0))
    with pytest.raises(ConfigError, match="can't be written"):
        begin(account)
    assert contents(emulated)[1:] == FOREIGN[1:]
    assert {call["method"] for call in emulated.admin.calls()} == {"GET", "POST"}  # looks only
    assert not any(call["route"] == "/v3/marketing/lists" and call["method"] == "POST"
                   for call in emulated.admin.calls())  # fmt: skip


def test_Q06_an_account_without_room_for_fields_answers_the_rest(
    emulated: Emulator, open_account: Opened
) -> None:
    account = open_account()
    begin(account)
    emulated.admin.fault("POST", "/v3/marketing/field_definitions", status=400, times=9)
    why = ask(account, {"unknown_list", "csv_empty_text", "many_ids"})
    assert set(why) == {"csv_empty_text"}
    assert "as many as it may" in why["csv_empty_text"]
    profile = profile_of(account, why)
    assert profile["unknown_list"] == "404"
    assert profile.answers["csv_empty_text"].answer == UNSEEN
    emulated.admin.clear_faults()
    assert ask(account, {"unknown_list", "csv_empty_text"}) == {}
    assert account.made.answers["csv_empty_text"][0] == "keep"
    assert_nothing_left(emulated, account)


def test_Q06_an_answer_that_nobody_thought_of_is_another_one(
    emulated: Emulator, open_account: Opened
) -> None:
    """Else the profile couldn't be read any more."""
    account = open_account()
    begin(account)
    shown = {"email": account.address("canary"), "segment_ids": ["a segment"]}
    body = json.dumps({"result": [shown]})
    emulated.admin.fault("GET", CONTACTS, status=200, body=body)
    assert ask(account, {"newest_segment_ids"}) == {}
    profile = parsed_profile(profile_text(profile_of(account)), "x.yaml")
    assert profile.answers["newest_segment_ids"].answer == OTHER
    assert_nothing_left(emulated, account)
