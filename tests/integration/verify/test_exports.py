"""Exports as SendGrid may give them: in parts, late, expired, broken; and who may order one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contact_sync.base.errors import AuthError, FatalError, RetryableError
from contact_sync.base.verdicts import Count
from contact_sync.verify import compare_sides as compare
from contact_sync.verify import in_one_process
from contact_sync.verify.account_side import load_account_side
from contact_sync.verify.compare_sides import compare_sides
from contact_sync.verify.look_again import look_again
from tests.support.damage import put
from tests.support.verified import found_in, verify
from tests.support.world import API_KEY, World

FILES = "/exports/{export_id}/{name}"
NUMBERS = ("Score", "Born")
SIDES = [f"contact_sync.verify_{name}" for name in ("contact", "client", "unequal")]


@pytest.fixture
def equal(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which both sides are equal; no step is tried again."""
    monkeypatch.setattr(in_one_process, "TRIES", 1)
    for number in range(30):
        world.add(f"client{number}@example.com", first_name=f"Zoë {number}", status_id=1)
    world.run()
    return world


@pytest.mark.parametrize(
    "settings",
    [
        {"export_megabyte": 1, "max_mb": 1_000},
        {"export_gzip": False},
        {"export_json": "array"},
        {"export_lists": "shown", "export_unset": "empty"},
        {"export_links": "each look"},
    ],
    ids=" ".join,
)
def test_an_export_may_have_any_form(
    equal: World, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several files, plain, as a list, with all that is unset: equal is equal."""
    if size := settings.pop("max_mb", None):
        monkeypatch.setattr("contact_sync.sendgrid.export_calls.MAX_FILE_MB", size)
    equal.emulator.admin.settings(**settings)
    found = verify(equal)
    assert (found.is_equal, found.counts[Count.CONTACTS]) == (True, 30)
    assert len(equal.calls("GET", FILES)) > 2 or "export_megabyte" not in settings


@pytest.mark.parametrize("values", [("iso", "number"), ("day", "text"), ("us", "text")])
def test_numbers_and_dates_are_compared_by_meaning(world: World, values: tuple[str, str]) -> None:
    """Whatever form an export shows them in; another value is another one."""
    admin = world.emulator.admin
    admin.create_field("Score", "Number")
    admin.create_field("Born", "Date")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields=fields | {"Score": "postal_code", "Born": "city"})
    for number in range(3):
        typed = {"postal_code": f"{number}.50", "city": "2020-02-29"}
        world.add(f"client{number}@example.com", address=typed)
    world.run()
    admin.settings(export_dates=values[0], export_numbers=values[1])
    assert verify(world).is_equal
    ids = {name: field for name, field in _field_ids(world).items() if name in NUMBERS}
    custom = {ids["Score"]: 2.5, ids["Born"]: "2020-03-01"}
    admin.put_contacts({"email": "client1@example.com", "custom_fields": custom})
    found = verify(world)
    assert found.fields == {"Score": 1, "Born": 1}


def _field_ids(world: World) -> dict[str, str]:
    with world.sync() as sync:
        return {field.name: field.id for field in sync.sendgrid.fields()}


def test_an_address_that_has_expired_is_asked_for_once_more(equal: World) -> None:
    """SendGrid's answer has new ones, or it hasn't: then the verification ends."""
    admin = equal.emulator.admin
    admin.fault("GET", FILES, status=403, body="<Error><Code>AccessDenied</Code></Error>")
    assert verify(equal).is_equal
    admin.settings(export_lifetime=0)
    with pytest.raises(FatalError, match="can't be fetched any more"):
        verify(equal)
    states = "SELECT state FROM contact_sync.verification ORDER BY verification_id"
    assert equal.state(states) == [("succeeded",), ("failed",)]
    admin.settings(export_lifetime=3600)
    assert verify(equal).is_equal


def test_an_export_that_fails_is_told(equal: World) -> None:
    equal.emulator.admin.job_fault("fails_halfway", job="export")
    with pytest.raises(FatalError, match="has failed: internal error"):
        verify(equal)
    assert verify(equal).is_equal


@pytest.mark.parametrize("kind", ["truncated", "bomb"])
def test_a_broken_file_is_no_difference(equal: World, kind: str) -> None:
    """Nothing is concluded, and the next verification continues with the same export."""
    equal.emulator.admin.settings(export_file=kind)
    with pytest.raises(RetryableError, match="can't be read"):
        verify(equal)
    equal.emulator.admin.settings(export_file="whole")
    found = verify(equal)
    assert (found.is_equal, found.verification_id) == (True, 1)


def test_contacts_that_an_export_lacks_are_looked_up(equal: World) -> None:
    """They aren't missing because an export has left them out."""
    equal.emulator.admin.job_fault("drops_rows", job="export", rows=3)
    found = verify(equal)
    assert found.is_equal
    assert (found.counts[Count.RACES], found.counts[Count.EQUAL]) == (3, 30)
    assert found.sendgrid_digest == found.b2core_digest


def test_a_key_that_may_not_export_is_told(equal: World) -> None:
    equal.emulator.admin.add_key(API_KEY, "read")
    with pytest.raises(AuthError, match="Marketing: Full Access"):
        verify(equal)


def test_the_file_host_never_gets_the_key(equal: World) -> None:
    """The emulator's storage refuses a request with one."""
    verify(equal)
    calls = equal.calls("GET", FILES)
    assert len(calls) == 2
    assert {call["status"] for call in calls} == {200}


@pytest.mark.parametrize("step", [load_account_side, compare_sides])
def test_sides_that_the_database_has_lost_are_read_again(
    equal: World, step: Callable[..., Any]
) -> None:
    """Its server crashed: the tables are empty, as PostgreSQL leaves unlogged ones."""
    lost = list[int]()

    def lose_once(*step_of: Any) -> Any:
        if not lost:
            lost.append(1)
            equal.state(f"TRUNCATE {', '.join(SIDES)}")
        return step(*step_of)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_one_process, "TRIES", 2)
        patch.setattr(in_one_process, "PAUSE", 0.0)
        patch.setattr(in_one_process, step.__name__, lose_once)
        found = verify(equal)
    assert (found.is_equal, found.counts[Count.COMPARED], lost) == (True, 30, [1])


def test_sides_that_are_lost_after_they_were_compared_are_read_again(
    equal: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What differs is a difference still, and isn't taken for a client that has changed."""
    put(equal, "client1@example.com", first_name="Eve")
    monkeypatch.setattr(in_one_process, "TRIES", 2)
    monkeypatch.setattr(in_one_process, "PAUSE", 0.0)
    lost = list[int]()

    def lose_once(*of: Any) -> None:
        look_again(*of)
        if not lost:
            lost.append(1)
            equal.state(f"TRUNCATE {', '.join(SIDES)}")

    monkeypatch.setattr(compare, "look_again", lose_once)
    found = verify(equal)
    assert (found_in(equal, found), found.counts[Count.EQUAL]) == (
        {("different", "client1@example.com"): ("first_name",)}, 29,
    )  # fmt: skip
    assert (found.counts[Count.LOOKED_AT], lost) == (1, [1])


def test_an_export_that_was_ordered_before_is_used(equal: World) -> None:
    """Only that of the list is ordered."""
    with equal.sync() as sync:
        ident = sync.sendgrid.order_export()
    before = len(equal.calls("POST", "/v3/marketing/contacts/exports"))
    found = verify(equal, export_id=ident)
    assert (found.is_equal, found.export_id) == (True, ident)
    assert len(equal.calls("POST", "/v3/marketing/contacts/exports")) == before + 1
