"""Reading who gets no mail: what is too large for one answer, and from which region it comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests

from contact_sync.base.errors import AnswerTooLarge, SyncError
from contact_sync.base.suppressed import Suppressed
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.sendgrid.transport import Limits
from tests.support import openapi
from tests.support.scripted_server import KEY, Script

GROUPS = [{"id": 7}, {"id": 9}]
ANN, BOB = "ann@example.com", "bob@example.com"
EU = "https://api.eu.sendgrid.com"


def reading(api: SendGridApi, kind: SuppressionKind) -> list[list[Suppressed]]:
    """Everything of a kind."""
    return list(api.suppressions(kind, None))


CALLS: dict[str, Callable[[SendGridApi], Any]] = {
    "suppress": lambda api: api.suppress([ANN]),
    "is_suppressed": lambda api: api.is_suppressed(ANN),
    "has_reported_spam": lambda api: api.has_reported_spam(ANN),
    "suppressed_addresses": SendGridApi.suppressed_addresses,
    "groups": SendGridApi.groups,
    "groups_of": lambda api: api.groups_of(ANN),
    "in_group": lambda api: api.in_group(7, [ANN]),
    "suppress_in_group": lambda api: api.suppress_in_group(7, [ANN]),
    **{kind: partial(reading, kind=kind) for kind in SuppressionKind},
}


def all_of_groups(server: Script) -> list[Suppressed]:
    """Everybody who is unsubscribed from a group, with room for 200 bytes an answer."""
    api = SendGridApi(server.url, KEY, limits=Limits(answer_bytes=200))
    pages = api.suppressions(SuppressionKind.GROUP_UNSUBSCRIBE, None)
    try:
        return [one for page in pages for one in page]
    finally:
        api.close()


def test_F13_groups_too_large_for_one_answer_are_read_one_by_one(server: Script) -> None:
    """No paging is described: each group is an answer of its own, without times."""
    server.say(200, b"[" + b" " * 300 + b"]")
    server.say(200, GROUPS)
    server.say(200, ["Ann@Example.com"])
    server.say(200, [ANN, BOB])
    found = all_of_groups(server)
    assert found == [Suppressed(ANN, 7, None), Suppressed(ANN, 9, None), Suppressed(BOB, 9, None)]
    paths = [path.removeprefix("/v3/asm/") for _, path, _, _ in server.calls]
    assert paths == ["suppressions", "groups", "groups/7/suppressions", "groups/9/suppressions"]


def test_F13_a_group_too_large_for_one_answer_says_what_helps(server: Script) -> None:
    """At once: asking again gives the same."""
    server.say(200, b"[" + b" " * 300 + b"]")
    server.say(200, GROUPS)
    server.say(200, b"[" + b" " * 300 + b"]")
    with pytest.raises(AnswerTooLarge, match="group 7 has more addresses than a run reads"):
        all_of_groups(server)
    assert len(server.calls) == 3


@pytest.mark.parametrize("name", CALLS)
def test_S02_every_call_goes_to_the_accounts_region(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As Twilio describes it: these calls are there in both regions."""
    asked: list[tuple[str, str]] = []

    def send(_session: Any, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        asked.append((str(request.method), str(request.url)))
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "send", send)
    api = SendGridApi(EU, KEY, limits=Limits(retry_seconds=0))
    with pytest.raises(SyncError):
        CALLS[name](api)
    api.close()
    for method, url in asked:
        assert url.startswith(f"{EU}/v3/")
        operation = openapi.operation_of(method, url.removeprefix(EU).partition("?")[0])
        assert operation is not None
        servers = openapi.documents()[operation.document]["servers"]
        assert EU in [each["url"] for each in servers]
    assert asked
