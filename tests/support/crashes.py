"""The kinds of run that crash tests kill."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import contact_sync
from contact_sync.base.errors import told_safely
from contact_sync.base.vocabulary import Answer, RunKind
from contact_sync.run import in_one_process
from contact_sync.run.approve_plan import decide
from contact_sync.run.context import open_run
from contact_sync.run.plan_batches import plan_batches
from contact_sync.run.release_lease import release_lease
from contact_sync.run.sending import prepare
from contact_sync.run.start_run import start_run
from contact_sync.state import settling
from tests.support.consents import opt_out_column
from tests.support.crash_worlds import (
    asked_to_erase,
    cured,
    loaded,
    no_longer_refused,
    nobody_left,
    poisoned,
    reading_suppressions,
    refused,
    short_counts,
    suppressions_are_read,
    unsubscribed_once,
    withdrawn,
)
from tests.support.steps import go_on
from tests.support.world import World

PACKAGE = Path(contact_sync.__file__).parent
EVERY_RUN = {
    "lease_taken_uncommitted", "run_started", "drained", "setup_checked", "slices_uncommitted",
    "clients_selected", "slice_uncommitted", "slice_staged", "plan_uncommitted", "run_planned",
    "removals_uncommitted", "removals_planned", "removals_noted_uncommitted", "batch_submitted",
    "job_pending", "job_over", "batch_settled_uncommitted", "batch_settled", "finish_uncommitted",
    "run_finished",
}  # fmt: skip
JSON = {"upsert_announced", "upserted_not_stored"}
CSV = {
    "import_created_not_stored", "import_created", "upload_announced", "uploaded_not_stored",
}  # fmt: skip
MOVE = {"moves_noted_uncommitted", "move_announced", "moved_not_stored", "moves_looked_at"}
REMOVAL = {"delete_announced", "deleted_not_stored", "misses_uncommitted"}
ERASURE = {
    "purge_uncommitted", "purged", "contacts_deleted_not_stored", "contacts_deleted",
    "events_erased_not_stored", "events_erased", "erasure_end_uncommitted", "erasure_ended",
}  # fmt: skip
REFUSED = {"batch_cut_uncommitted", "refused_single_uncommitted", "refusals_uncommitted"}
JOINTS = {"plan_uncommitted", "batch_submitted", "batch_settled_uncommitted", "finish_uncommitted"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run: what comes before it, how it is run, and what is right after it."""

    points: set[str]
    prepare: Callable[[World], Any]
    mode: str = "incremental"
    options: dict[str, Any] = field(default_factory=dict)
    run: Callable[[World], Any] | None = None
    """Instead of `world.run(mode, **options)`, in the process that is killed."""
    cure: Callable[[World], Any] | None = None
    """What ends a situation in which nothing can converge; before the clean run."""
    converged: dict[str, Any] = field(default_factory=dict)
    """Options of `assert_converged`."""
    check: Callable[[World], Any] | None = None
    """What else is right after the clean run."""


def by_csv(world: World) -> None:
    """Nobody is in SendGrid yet; the CSV lane."""
    world.redefine(lane="csv")
    world.seed()


def settled(world: World) -> None:
    """The seed is in SendGrid, nothing has changed; the CSV lane."""
    by_csv(world)
    world.run()


def leaving(world: World) -> None:
    """One client opts out, one is absent for the second time, one changes, one moves."""
    copy = Path(world.sql_folder).parent / "opt_outs"
    world.sql_folder = opt_out_column(world.sql_folder, copy)
    for n in range(1, 6):
        world.add(f"client{n}@example.com")
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = 1")
    world.run()
    world.edit(2, last_name="opted out")
    world.edit(3, first_name="Changed")
    world.edit(4, email="moved@example.com")


def rejected_unseen(world: World) -> None:
    """A client is rejected whose contact is right, because the search doesn't show it."""
    world.add("client1@example.com")
    world.emulator.admin.settings(search_lag=3600)
    world.emulator.admin.job_fault("no_results", job="json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "ENOUGH_TRIES", 1)
        world.run()
    assert world.fates() == {1: "rejected: contact: never_applied"}
    world.emulator.admin.settings(search_lag=0)


def imported(world: World) -> None:
    """An excluded client that the sync has never sent is on its list, and one was removed there by
    hand and changes."""
    copy = Path(world.sql_folder).parent / "opt_outs"
    world.sql_folder = opt_out_column(world.sql_folder, copy)
    world.add("ann@example.com")
    world.add("bob@example.com")
    world.run()
    ident = world.contacts()["bob@example.com"]["id"]
    world.delete_at_sendgrid(f"contacts?ids={ident}")
    world.emulator.admin.put_contacts({"email": "old@example.com"}, list_ids=[world.list_id])
    world.add("old@example.com", last_name="opted out")
    world.edit(2, first_name="Bobby")
    world.edit(1, first_name="Anna")


def above_limits(world: World) -> None:
    """More changes than the definition allows."""
    world.redefine(limits={"changes": {"contacts": 1, "share": 0.0}})
    loaded(world)


def approved_by_a_person(world: World) -> None:
    """The plan is approved between planning and sending, as in Airflow."""
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
        try:
            decide(sync, open_run(sync, run_id), Answer.APPROVED, "a person")
        except KeyboardInterrupt as error:
            release_lease(sync, run_id, "the task was stopped")
            raise told_safely(error) from None


def opted_out_and_moved(world: World) -> None:
    """A client whose old address is suppressed at SendGrid has a new one."""
    client = world.add("old@example.com")
    world.add("other@example.com")
    world.run()
    world.emulator.admin.suppress("old@example.com")
    world.edit(client, email="new@example.com")


def moving_with_belongings(world: World) -> None:
    """Two clients swap addresses, one gets a new one; what others put on their contacts goes along,
    into fields that the oracle doesn't look at: lists."""
    lists = [world.emulator.admin.create_list(name) for name in ("vip", "news")]
    for number in (1, 2, 3):
        world.add(f"client{number}@example.com", first_name=f"N{number}")
    world.run()
    for number in (1, 3):
        contact = {"email": f"client{number}@example.com"}
        world.emulator.admin.put_contacts(contact, list_ids=[lists[number // 2]])
    while any(job["status"] == "pending" for job in world.emulator.admin.jobs()):
        time.sleep(0.02)
    world.sql(
        """UPDATE b2core.clients SET email = CASE id WHEN 1 THEN 'client2@example.com'
           WHEN 2 THEN 'client1@example.com' ELSE 'client4@example.com' END"""
    )


def moved_with_belongings(world: World) -> None:
    """Each person is on the lists that it was on before."""
    names = {number: f"client{number}@example.com" for number in (1, 2, 4)}
    found = world.contacts()
    others = {n: len(found[email]["list_ids"]) - 1 for n, email in names.items()}
    assert others == {1: 0, 2: 1, 4: 1}


def there_before(world: World) -> None:
    """A contact with a value that B2CORE doesn't have; the CSV lane."""
    world.emulator.admin.put_contacts({"email": "client1@example.com", "country": "Chad"})
    by_csv(world)


def there_before_and_counted_late(world: World) -> None:
    """The same, and SendGrid says that it has no contacts."""
    there_before(world)
    time.sleep(0.3)
    world.emulator.admin.settings(count_lag=600)


def changing_while_sent(world: World) -> None:
    """A client moves between plan and sending, and the source is looked at again."""
    prepare.MAX_AGE_SECONDS = -1e9

    def meanwhile(*args: Any) -> list[int]:
        planned = plan_batches(*args)
        world.edit(2, email="moved@example.com")
        return planned

    pytest.MonkeyPatch().setattr(in_one_process, "plan_batches", meanwhile)
    world.run()


def resent(world: World) -> None:
    """Who was removed by hand comes back."""
    world.run("resend", take_over=True)


KINDS = {
    "first load, JSON": Kind(EVERY_RUN | JSON, World.seed),
    "first load, CSV": Kind(EVERY_RUN | CSV, by_csv),
    "incremental": Kind(EVERY_RUN | JSON | REMOVAL | {"suppressions_uncommitted"}, loaded),
    "full": Kind(JOINTS | {"slices_uncommitted"}, loaded, mode="full"),
    "resend, CSV": Kind(JOINTS | CSV, settled, mode="resend"),
    "removals": Kind(
        JOINTS | REMOVAL | {"removals_noted_uncommitted", "removals_uncommitted"}, leaving,
        converged={"unlisted": {"client1@example.com", "client2@example.com"}, "excluded": {2}},
    ),
    "look-ups": Kind(
        {"excluded_looked_up_uncommitted", "removed_by_hand_uncommitted", "removal_looked_at"},
        imported, cure=resent,
        converged={"unlisted": {"old@example.com"}, "excluded": {3}},
    ),
    "taken back": Kind({"rejections_uncommitted", "retries_uncommitted"}, rejected_unseen),
    "approved beforehand": Kind(JOINTS, above_limits, options={"approve": True}),
    "approved by a person": Kind(
        {"approval_uncommitted", "plan_decided"}, above_limits, options={"approve": True},
        run=approved_by_a_person,
    ),
    "opt-outs": Kind(
        JOINTS | {"suppressions_uncommitted", "suppressed_not_sent"}, opted_out_and_moved
    ),
    "suppressions": Kind(
        {"suppressions_page_uncommitted", "suppressions_read"}, reading_suppressions,
        check=suppressions_are_read,
    ),
    "withdrawn consents": Kind(
        {"excluded_suppressed", "suppressions_seen_uncommitted"}, withdrawn,
        check=unsubscribed_once, converged={"unlisted": {"client2@example.com"}, "excluded": {2}},
    ),
    "new addresses": Kind(
        JOINTS | MOVE | {"delete_announced", "misses_uncommitted"}, moving_with_belongings,
        check=moved_with_belongings,
    ),
    "erasure": Kind(
        ERASURE, asked_to_erase, check=nobody_left, converged={"excluded": {1}},
    ),
    "contacts before the first load": Kind(
        JOINTS | {"held_uncommitted", "run_unpacked_uncommitted", "run_unpacked"}, there_before
    ),
    "contacts that were counted late": Kind(
        {"held_after_uncommitted", "batch_unpacked_uncommitted", "batch_unpacked"},
        there_before_and_counted_late,
    ),
    "changes meanwhile": Kind({"clients_held_uncommitted"}, by_csv, run=changing_while_sent),
    "failing job": Kind(
        JOINTS | {"batch_split_uncommitted", "single_settled_uncommitted"}, poisoned,
        cure=cured,
    ),
    "refused contacts": Kind(JOINTS | REFUSED, refused, cure=no_longer_refused),
    "counts that don't add up": Kind({"read_back"}, short_counts),
}  # fmt: skip


APART = ("verify", "erasure")
"""Rooms whose steps no run takes."""


def all_points(room: str | None = None) -> set[str]:
    """Every name that is given to `reach` in the package, in runs or in one of the rooms APART."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != room if room else path.parent.name in APART:
            continue
        text = path.read_text(encoding="utf-8")
        if "reach(" not in text:  # most files; to parse them all takes each worker a second
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reach":
                argument = node.args[0]
                assert isinstance(argument, ast.Constant)
                found.add(str(argument.value))
    return found
