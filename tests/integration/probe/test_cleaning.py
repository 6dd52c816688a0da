"""A probe takes away what it made and nothing else, also after it was killed at any call."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError, FatalError
from contact_sync.probe.account import Account
from contact_sync.probe.cleaning import clean
from contact_sync.probe.made import Made, load
from contact_sync.probe.run_probe import ask, begin
from contact_sync.sendgrid.raw_calls import Exchange, RawCalls
from local.sendgrid_emulator.process import Emulator
from tests.integration.probe.conftest import Opened

SOME = {"csv_duplicates", "no_ids"}
"""Questions whose parts make contacts, a list, fields and an import, and call for the list."""


class Killed(BaseException):
    """Nothing runs after it, as after SIGKILL."""


def contents(emulated: Emulator) -> tuple[list[str], list[str], list[str]]:
    """The addresses, lists and custom fields of the account."""
    calls = RawCalls(emulated.base_url, emulated.api_key)
    lists = calls.exchange("GET", "/v3/marketing/lists").body["result"]
    fields = calls.exchange("GET", "/v3/marketing/field_definitions").body["custom_fields"]
    calls.close()
    return (
        sorted(emulated.admin.contacts()),
        [item["name"] for item in lists],
        [item["name"] for item in fields],
    )


FOREIGN = (["customer@example.org"], ["Customers"], ["Status"])


WHEN: dict[str, Callable[[int], bool]] = {
    "in turn": lambda number: bool(number % 2),
    "before its effect": lambda _number: False,
    "after its effect": lambda _number: True,
}
"""Whether the nth killed call has had its effect."""


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> None:
    """End the probe at its nth writing call: before it leaves, or before its answer is read."""
    done = RawCalls.exchange, RawCalls.upload
    count = iter(range(1, 10_000))

    def exchange(self: RawCalls, method: str, path: str, body: Any = None) -> Exchange:
        killed = method != "GET" and "search" not in path and next(count) == number
        if killed and not after:
            raise Killed
        found = done[0](self, method, path, body)
        if killed:
            raise Killed
        return found

    def upload(self: RawCalls, url: str, headers: dict[str, str], content: bytes) -> None:
        killed = next(count) == number
        if killed and not after:
            raise Killed
        done[1](self, url, headers, content)
        if killed:
            raise Killed

    monkeypatch.setattr(RawCalls, "exchange", exchange)
    monkeypatch.setattr(RawCalls, "upload", upload)


def deaths(emulated: Emulator, open_account: Opened, when: str) -> Iterator[Made]:
    """What a probe leaves that was killed at its first, second, … writing call."""
    for number in range(1, 100):
        emulated.admin.reset()
        emulated.admin.settings(field_delay=0)
        foreign = emulated.admin.create_list("Customers")
        emulated.admin.create_field("Status", "Text")
        emulated.admin.put_contacts({"email": "customer@example.org"}, list_ids=[foreign])
        probed = open_account()
        with pytest.MonkeyPatch.context() as monkeypatch:
            kill_at(monkeypatch, number, after=WHEN[when](number))
            try:
                begin(probed)
                ask(probed, SOME)
            except Killed:
                yield probed.made
            else:
                probed.made.forget()
                return
    raise AssertionError("It never ends")


@pytest.mark.parametrize(
    "when",
    [name if name == "in turn" else pytest.param(name, marks=pytest.mark.slow) for name in WHEN],
)
def test_Q03_whatever_a_killed_probe_left_is_cleaned_up(
    emulated: Emulator, open_account: Opened, when: str
) -> None:
    killed = 0
    for made in deaths(emulated, open_account, when):
        killed += 1
        found = load(made.path)
        assert found is not None
        assert clean(open_account(found)) == []
        assert contents(emulated) == FOREIGN, f"killed at call {killed}"
        made.path.unlink()
    assert killed > 12


def test_Q03_the_next_start_cleans_up_and_asks_what_is_left(
    emulated: Emulator, open_account: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_account()
    begin(first)
    ask(first, {"unknown_list"})
    with monkeypatch.context() as patched:
        kill_at(patched, 3, after=True)
        with pytest.raises(Killed):
            ask(first, {"json_empty_text"})
    left = load(first.made.path)
    assert left is not None
    again = open_account(left)
    before = len(emulated.admin.calls())
    begin(again)
    assert contents(emulated) == FOREIGN
    ask(again, {"unknown_list", "json_empty_text"})
    assert {"unknown_list", "json_empty_text"} == set(again.made.answers)
    assert again.made.answers["unknown_list"] == first.made.answers["unknown_list"]
    refused = [call for call in emulated.admin.calls()[before:] if call["status"] == 404]
    assert all(call["method"] == "POST" for call in refused)  # searches: the list isn't asked again
    clean(again)
    assert contents(emulated) == FOREIGN


@pytest.mark.parametrize("what", ["list", "field", "contact"])
def test_Q04_names_that_are_taken_stop_it_before_it_touches_anything(
    emulated: Emulator, open_account: Opened, what: str
) -> None:
    probed = open_account()
    match what:
        case "list":
            emulated.admin.create_list(probed.made.list_name)
        case "field":
            emulated.admin.create_field(probed.field_name("text").upper(), "Text")
        case "contact":
            emulated.admin.put_contacts({"email": "probe-7f3a9c-17@example.org"})
    before = contents(emulated)
    with pytest.raises(ConfigError, match="already"):
        begin(probed)
    assert contents(emulated) == before
    assert {call["method"] for call in emulated.admin.calls()} == {"GET", "POST"}
    assert load(probed.made.path) is None


def test_Q04_somebody_elses_contact_with_a_probes_address_is_left_alone(
    emulated: Emulator, open_account: Opened
) -> None:
    """The probe's own is gone and another one has come meanwhile: its id is another one."""
    probed = open_account()
    begin(probed)
    ask(probed, {"segment_ids"})
    address = probed.address("canary")
    emulated.admin.reset()
    emulated.admin.put_contacts({"email": address})
    assert probed.until(lambda: bool(emulated.admin.contacts())) is not None
    assert clean(probed) == ["1 contact that the probe didn't make"]
    assert set(emulated.admin.contacts()) == {address}


def test_Q03_the_file_is_private_and_written_before_each_creation(
    emulated: Emulator, open_account: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = open_account()
    seen: list[Made | None] = []
    really = RawCalls.exchange

    def exchange(self: RawCalls, method: str, path: str, body: Any = None) -> Exchange:
        if (method, path) in (("POST", "/v3/marketing/lists"), ("PUT", "/v3/marketing/contacts")):
            seen.append(load(probed.made.path))
        return really(self, method, path, body)

    monkeypatch.setattr(RawCalls, "exchange", exchange)
    begin(probed)
    ask(probed, {"bad_email_field"})
    listed, sent = seen
    assert listed is not None
    assert listed.has_list
    assert sent is not None
    assert sent.sent_at is not None
    assert sent.addresses
    assert stat.S_IMODE(probed.made.path.stat().st_mode) == 0o600
    clean(probed)


@pytest.mark.parametrize(
    "call",
    [
        ("DELETE", "/v3/marketing/contacts?delete_all_contacts=true"),
        ("DELETE", "/v3/marketing/contacts?ids="),
        ("DELETE", "/v3/marketing/lists/ab12?delete_contacts=true"),
        ("PATCH", "/v3/marketing/lists/ab12"),
        ("POST", "/v3/recipients/erasejob"),
    ],
)
def test_Q04_a_probe_cannot_make_calls_that_are_not_its_own(
    open_account: Opened, call: tuple[str, str]
) -> None:
    account: Account = open_account()
    with pytest.raises(FatalError, match="a probe doesn't make this call"):
        account.calls.exchange(*call)
