"""Contacts of a first load are staged in blocks, and are rows as soon as one of them matters."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.postgres import arrow_reader
from contact_sync.run.sending import prepare
from contact_sync.run.start_run import start_run
from contact_sync.state.suppressed import address_hashes
from tests.support.blocks import EMAILS, after_the_plan, by_csv
from tests.support.steps import go_on, staged
from tests.support.world import World


@pytest.mark.parametrize(("most", "batches"), [(250_000, 1), (2, 2), (1, 4)])
def test_a_first_load_is_sent_from_blocks(world: World, most: int, batches: int) -> None:
    """Whole blocks make a batch; nothing is staged after it, and the books are those of rows."""
    by_csv(world)
    world.redefine(csv_batch_contacts=most)
    seen = list[tuple[int, int]]()
    with after_the_plan(lambda: seen.append(staged(world))):
        report = world.run()
    assert seen == [(4, 0)]
    jobs = [(job["lane"], job["rows"]) for job in report["jobs"]]
    assert jobs == [("csv", 4 // batches)] * batches
    assert staged(world) == (0, 0)
    assert world.fates() == {
        1: "confirmed", 2: "confirmed", 3: "shared", 4: "confirmed", 5: "confirmed",
        6: "rejected: email: invalid",
    }  # fmt: skip
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


def test_the_ledger_has_the_same_of_blocks_and_of_rows(world: World) -> None:
    """All columns but the batch, and when it was."""
    by_csv(world)
    rows = """SELECT to_jsonb(l) - '{batch_id, updated_at, sync_id, rejected_since}'::text[]
              FROM contact_sync.ledger AS l JOIN contact_sync.sync USING (sync_id)
              WHERE name = %s ORDER BY client_id"""
    world.run()
    for contact in world.contacts().values():
        world.delete_at_sendgrid(f"contacts?ids={contact['id']}")
    world.redefine(name="json", lane="json")
    world.run()
    assert world.state(rows, "demo") == world.state(rows, "json") != []


def refused(world: World) -> None:
    """SendGrid's job refuses a row."""
    world.refuse_rows(EMAILS[1])


def failing(world: World) -> None:
    """The job fails as a whole."""
    world.emulator.admin.job_fault("fails_halfway", after_rows=0, job="csv")


def was_there(world: World) -> None:
    """Somebody has put one of the contacts into SendGrid, with a value that B2CORE doesn't have."""
    world.emulator.admin.put_contacts({"email": EMAILS[0], "country": "Chad"})


def known(world: World) -> None:
    """A client is in the ledger by now."""
    world.state(
        """INSERT INTO contact_sync.ledger (sync_id, client_id, state, email_hash, reason)
           SELECT sync_id, 2, 'pending', 5, 'changed_while_read' FROM contact_sync.sync
           WHERE name = 'demo' ON CONFLICT DO NOTHING"""
    )


def kept(world: World) -> None:
    """One of the contacts was another client's, and stays."""
    with world.sync() as sync:
        (email_hash,) = address_hashes([EMAILS[0]], sync.hashing())
    world.state(
        """INSERT INTO contact_sync.removal (sync_id, email, email_hash, client_id, why, kept)
           SELECT sync_id, '#' || %s, %s, 99, 'gone', true FROM contact_sync.sync
           WHERE name = 'demo'""",
        str(email_hash), email_hash,
    )  # fmt: skip


def edited(world: World) -> None:
    """A client moves, and B2CORE is looked at again before anything leaves."""
    world.edit(2, email="moved@example.com")


def too_large(world: World) -> None:
    """The storage takes no file of this size."""
    world.emulator.admin.settings(max_upload_bytes=250)


def nameless(world: World) -> None:
    """The job says that it refused a row, and not which."""
    world.emulator.admin.job_fault("no_results", job="csv")


ACCIDENTS = (refused, failing, was_there, known, kept, edited, nameless, too_large)


@pytest.mark.parametrize("happens", ACCIDENTS)
def test_whatever_becomes_of_a_batch_its_contacts_are_there(
    world: World, happens: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is lost, none is confirmed that SendGrid doesn't have, and nothing stays staged."""
    by_csv(world)
    monkeypatch.setattr(prepare, "MAX_AGE_SECONDS", -1e9 if happens is edited else 300.0)
    before, emails = list[tuple[int, int]](), dict(zip((1, 2, 4, 5), EMAILS, strict=True))

    def once() -> None:
        if not before:
            before.append(staged(world))
            happens(world)

    with after_the_plan(once):
        world.run()
    assert before == [(4, 0)]
    assert staged(world) == (0, 0)
    listed = {email for email, c in world.contacts().items() if world.list_id in c["list_ids"]}
    confirmed = {n for n, fate in world.fates().items() if fate == "confirmed"}
    assert {emails[n] for n in confirmed} <= listed
    assert world.state("SELECT count(*) FROM contact_sync.removal") == [(0,)]
    world.run()
    others = {EMAILS[1]} if happens is refused else set[str]()
    world.assert_converged(rejected={2} if others else (), unlisted=others)


@pytest.mark.parametrize("happens", [was_there, kept])
def test_what_has_to_be_looked_at_is_not_sent_from_blocks(
    world: World, happens: Callable[[World], None]
) -> None:
    """Contacts that were there before hold values that nobody knows."""
    by_csv(world)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="plan")
        assert staged(world) == (4, 0)
        happens(world)
        go_on(sync, run_id, before="exclude", after="stage")
        assert staged(world) == (0, 4)
        go_on(sync, run_id, before="finish", after="plan")
    assert "Chad" not in str(world.contacts())


@pytest.mark.parametrize("most", [250_000, 2])
def test_blocks_that_overlap_are_sent_together_or_as_rows(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, most: int
) -> None:
    """B2CORE gives its clients in any order, and ids below 0: the blocks lie across each other."""
    monkeypatch.setattr(arrow_reader, "BATCH_BYTES", 400)  # a few clients
    world.sql_folder = Path(shutil.copytree(world.sql_folder, tmp_path / "b2core"))
    with (world.sql_folder / "clients.sql").open("a", encoding="utf-8") as file:
        file.write("ORDER BY abs(clients.id)\n")
    world.redefine(lane="csv", csv_batch_contacts=most)
    for number in (-1, 2, -3, 4, -5, 6):
        world.add(f"client{abs(number)}@example.com", id=number)
    seen, blocks = list[tuple[int, int]](), "SELECT count(*) FROM contact_sync.outbox_block"
    with after_the_plan(lambda: seen.extend((staged(world), *world.state(blocks)))):
        report = world.run()
    assert seen == ([(6, 0), (3,)] if most > 6 else [(0, 6), (0,)])
    assert sum(job["rows"] for job in report["jobs"]) == 6
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0
