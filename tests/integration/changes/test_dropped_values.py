"""Values that don't fit are kept by client, field and reason, until they are gone."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.errors import SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts import mapping
from contact_sync.run import stage_clients
from contact_sync.run.context import open_run
from contact_sync.run.start_run import start_run
from contact_sync.state import dropped
from tests.integration.changes.test_values import map_typed
from tests.integration.runs.test_crash import crashing
from tests.support.consents import opt_out_column
from tests.support.killed import hit
from tests.support.steps import go_on
from tests.support.world import World

__all__ = ["crashing"]
ROWS = "SELECT client_id, field, reason FROM contact_sync.dropped_value ORDER BY 1, 2"
LONG = "x" * 51


def kept(world: World) -> dict[int, dict[str, str]]:
    """What the state database has: client → field → reason."""
    found: dict[int, dict[str, str]] = {}
    for client, field, reason in world.state(ROWS):
        found.setdefault(client, {})[field] = reason
    return found


def since(world: World, client: int, field: str) -> datetime:
    """Since when a value is kept as dropped."""
    ((moment,),) = world.state(
        "SELECT since FROM contact_sync.dropped_value WHERE client_id = %s AND field = %s",
        client, field,
    )  # fmt: skip
    assert isinstance(moment, datetime)
    return moment


def phone(world: World, client: int, number: str) -> None:
    """Somebody corrects a phone, or breaks it."""
    world.sql("UPDATE b2core.client_phones SET phone = %s WHERE client_id = %s", number, client)


def stock(report: dict[str, Any]) -> tuple[dict[str, int], dict[str, int] | None]:
    """How many values are dropped now, and how many of them are new."""
    return report["dropped_now"], report["dropped_new"]


def test_B20_a_value_comes_stays_and_goes(world: World) -> None:
    """`since` is when it came; another reason begins anew; each run says how many there are and how
    many are new, whomever it read."""
    ann = world.add("ann@example.com", phone="call me", first_name=LONG)
    bob = world.add("bob@example.com", phone="+41790000001")
    assert stock(world.run()) == (
        {"phone_number: no_number": 1, "first_name: too_long": 1},
        {"phone_number: no_number": 1, "first_name: too_long": 1},
    )
    assert kept(world) == {ann: {"phone_number": "no_number", "first_name": "too_long"}}
    came = since(world, ann, "phone_number")

    report = world.run()  # looks at nobody
    assert report["counts"].get("read", 0) == 0
    assert stock(report) == ({"phone_number: no_number": 1, "first_name: too_long": 1}, {})
    for kind in ("full", "resend"):
        assert stock(world.run(kind))[1] == {}
    assert since(world, ann, "phone_number") == came

    phone(world, bob, "+4179")  # an incremental run sees only him
    report = world.run()
    assert report["kind"] == "incremental"
    assert stock(report) == (
        {"phone_number: no_number": 1, "phone_number: number_too_short": 1,
         "first_name: too_long": 1}, {"phone_number: number_too_short": 1},
    )  # fmt: skip
    assert since(world, ann, "phone_number") == came < since(world, bob, "phone_number")

    world.edit(ann, first_name="Ann")  # read again: the phone stays as it was
    phone(world, bob, "also no number")
    assert stock(world.run()) == (
        {"phone_number: no_number": 2}, {"phone_number: no_number": 1},
    )  # fmt: skip
    assert since(world, ann, "phone_number") == came
    world.assert_dropped()
    phone(world, ann, "+41790000002")
    phone(world, bob, "")
    assert stock(world.run()) == ({}, {})
    assert kept(world) == {}
    world.assert_converged()


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_B20_numbers_and_dates_are_kept_too(world: World, lane: str) -> None:
    """A rounded number is sent, a date that is none isn't; both are listed."""
    world.redefine(lane=lane)
    map_typed(world)
    ann = world.add("ann@example.com", address={"postal_code": "0.125", "line2": "31.12.1999"})
    world.add("bob@example.com", address={"postal_code": "0.12", "line2": "1999-12-31"})
    assert stock(world.run())[0] == {"Balance: rounded": 1, "Born: not_a_date": 1}
    assert kept(world) == {ann: {"Balance": "rounded", "Born": "not_a_date"}}
    sent = world.contact("ann@example.com")["custom_fields"]
    assert (sent["Balance"], "Born" in sent) == (0.12, False)
    assert stock(world.run("full")) == ({"Balance: rounded": 1, "Born: not_a_date": 1}, {})


@pytest.mark.parametrize("kind", ["incremental", "full"])
def test_B20_only_what_is_sent_counts(world: World, tmp_path: Path, kind: str) -> None:
    """A client that is excluded, rejected by its value, refused by SendGrid, or represented by
    another one is sent without any value: it has its own list. Who is sent again is back."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "b2core")
    names = ("out", "bad", "refused", "twin", "stays")
    ids = {name: world.add(f"{name}@example.com", phone="no phone") for name in names}
    world.run()
    assert set(kept(world)) == set(ids.values())
    came = since(world, ids["stays"], "phone_number")

    world.edit(ids["out"], last_name="opted out")
    world.edit(ids["bad"], email="not an address")
    world.edit(ids["refused"], first_name="Another")
    world.edit(ids["stays"], first_name="Another")
    younger = world.add("twin@example.com", phone="+41790000001")
    world.emulator.admin.settings(refused_emails={"refused@example.com": "no such domain"})
    report = world.run(kind)
    assert (report["books"]["rejected"], report["books"]["excluded"]) == (2, 2)
    assert kept(world) == {ids["stays"]: {"phone_number": "no_number"}}
    assert stock(report) == ({"phone_number: no_number": 1}, {})
    assert since(world, ids["stays"], "phone_number") == came
    world.run("full")  # the refused one isn't sent again
    assert set(kept(world)) == {ids["stays"]}

    world.emulator.admin.settings(refused_emails={})
    world.edit(ids["out"], last_name="in again")
    world.edit(ids["bad"], email="good@example.com")
    world.edit(ids["refused"], first_name="Mended")
    world.edit(younger, email="own@example.com")
    assert stock(world.run(kind)) == (
        {"phone_number: no_number": 5}, {"phone_number: no_number": 4},
    )  # fmt: skip
    world.assert_dropped()
    world.assert_converged(unlisted=None)


def test_B20_the_policy_and_the_mapping_decide(world: World, monkeypatch: Any) -> None:
    """A field that isn't mapped any more has no dropped values, and a rejected client has none
    either; a new transform version is a full run that keeps what is there."""
    ann = world.add("ann@example.com", phone="call me", first_name=LONG)
    world.run()
    came = since(world, ann, "first_name")
    monkeypatch.setattr(mapping, "TRANSFORM_VERSION", mapping.TRANSFORM_VERSION + 1)
    report = world.run()
    assert (report["kind_reason"], stock(report)[1]) == ("mapping_changed", {})
    assert since(world, ann, "first_name") == came

    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={name: at for name, at in fields.items() if name != "phone_number"})
    assert stock(world.run()) == ({"first_name: too_long": 1}, {})
    assert since(world, ann, "first_name") == came
    strict = {"column": "first_name", "on_too_long": "reject"}
    world.redefine(fields=fields | {"first_name": strict})
    report = world.run()
    assert report["rejections"] == {"first_name: too_long": 1}
    assert (stock(report), report["dropped"], kept(world)) == (({}, {}), {}, {})
    world.redefine(fields=fields)
    assert stock(world.run())[1] == {"phone_number: no_number": 1, "first_name: too_long": 1}
    assert since(world, ann, "first_name") > came


def test_B20_a_client_that_is_gone_keeps_its_rows_until_it_is_retired(world: World) -> None:
    """One look may be wrong, and until then its contact is there. Two syncs know nothing of each
    other's."""
    ann = world.add("ann@example.com", phone="call me")
    world.add("bob@example.com")
    world.run()
    world.state(
        """INSERT INTO contact_sync.dropped_value
           VALUES (99, %s, 'phone_number', 'no_number', now())""", ann
    )  # fmt: skip
    world.sql("DELETE FROM b2core.client_phones")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ann)
    report = world.run("full")
    assert (report["books"]["gone"], stock(report)[0]) == (1, {"phone_number: no_number": 1})
    report = world.run()
    assert (report["books"]["gone"], stock(report)[0]) == (0, {})
    assert world.state("SELECT sync_id FROM contact_sync.dropped_value") == [(99,)]


def test_B20_a_dry_run_counts_and_keeps_nothing(world: World) -> None:
    """It says what it would drop, and how many are kept as it stands."""
    ann = world.add("ann@example.com", phone="call me")
    report = world.run(dry_run=True)
    assert report["dropped"] == {"phone_number: no_number": 1}
    assert (stock(report), kept(world)) == (({}, None), {})
    world.run()
    before = world.state("SELECT * FROM contact_sync.dropped_value")
    phone(world, ann, "+41790000001")
    report = world.run("full", dry_run=True)
    assert (report["dropped"], stock(report)) == ({}, ({"phone_number: no_number": 1}, None))
    assert world.state("SELECT * FROM contact_sync.dropped_value") == before


@pytest.mark.own_connections
@pytest.mark.parametrize("point", ["slice_uncommitted", "slice_staged"])
def test_B20_killed_while_staging(crashing: World, point: str) -> None:
    """All of a slice's values are kept, or none; the next run has them right, and counts what the
    killed one found as new."""
    old = crashing.add("old@example.com", phone="call me")
    crashing.run()
    came = since(crashing, old, "phone_number")
    new = crashing.add("new@example.com", phone="nor me")
    mended = crashing.add("mended@example.com", first_name=LONG)
    assert hit(point, crashing, "incremental") == -signal.SIGKILL
    assert set(kept(crashing)) == ({old} if point == "slice_uncommitted" else {old, new, mended})
    crashing.edit(mended, first_name="Fits")
    report = crashing.run(take_over=True)
    assert stock(report) == ({"phone_number: no_number": 2}, {"phone_number: no_number": 1})
    assert since(crashing, old, "phone_number") == came
    crashing.assert_dropped()


def test_B20_a_superseded_run_keeps_nothing_and_a_repeated_step_changes_nothing(
    world: World,
) -> None:
    """The fence holds for this write, too; a slice may be staged again, and by then be mended."""
    ann = world.add("ann@example.com", phone="call me")
    with world.sync() as sync:
        first = start_run(sync, RunKind.INCREMENTAL, holder="first")
        go_on(sync, first, before="plan")
        before = world.state("SELECT * FROM contact_sync.dropped_value")
        assert len(before) == 1
        stage_clients.stage_clients(sync, open_run(sync, first), 0)
        assert world.state("SELECT * FROM contact_sync.dropped_value") == before
        late = open_run(sync, first)
        phone(world, ann, "+41790000001")
        assert stock(world.run(take_over=True)) == ({}, {})
        phone(world, ann, "call me again")
        with pytest.raises(SyncError):
            stage_clients.stage_clients(sync, late, 0)
    assert kept(world) == {}


def test_B20_clients_that_vanish_before_they_are_ever_sent_leave_nothing(world: World) -> None:
    """The first load fails after staging; by the next one the client is gone."""
    ann = world.add("ann@example.com", phone="call me")
    world.add("bob@example.com")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="first")
        go_on(sync, run_id, before="plan")
    assert set(kept(world)) == {ann}
    world.sql("DELETE FROM b2core.client_phones")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", ann)
    assert stock(world.run(take_over=True)) == ({}, {})
    assert kept(world) == {}


@pytest.mark.parametrize("listed", [0, 20_000])
def test_B20_many_slices_and_others_between_their_clients(
    world: World, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    """Whether clients are named one by one or by their range, nobody else's values are touched."""
    monkeypatch.setattr(dropped, "MAX_LISTED_IDS", listed)
    world.redefine(slice_clients=3)
    ids = [world.add(f"c{n}@example.com", phone="call me") for n in range(10)]
    world.run()
    assert set(kept(world)) == set(ids)
    came = since(world, ids[4], "phone_number")
    phone(world, ids[0], "+41790000001")
    phone(world, ids[9], "+41790000002")
    assert stock(world.run())[0] == {"phone_number: no_number": 8}
    phone(world, ids[2], "+41790000003")
    assert stock(world.run("full")) == ({"phone_number: no_number": 7}, {})
    assert since(world, ids[4], "phone_number") == came
    world.assert_dropped()
