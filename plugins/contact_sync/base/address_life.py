"""The life of an address that SendGrid may have to lose: the rows of the table `removal`.

An e-mail change is one way to get here: once the new contact is confirmed, the former address is
noted. A row has no state column: where it is follows from `batch_id` and `kept`, and from its
batch. docs/architecture.md draws the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Noted(StrEnum):
    """Where an address is."""

    NOTED = "noted"  # in no batch: the next plan looks at it
    PLANNED = "planned"  # in an open batch
    MISSED = "missed"  # in a settled batch that didn't remove it: the next run's plan looks at it
    KEPT = "kept"  # the contact stays, as nobody's: only the hash of its address is left
    REMOVED = "removed"  # the row is gone, and so is the contact, or its place on the list
    TAKEN = "taken"  # the row is gone: a client has the address again
    FORGOTTEN = "forgotten"  # the row is gone with its sync, or with age; the contact stays
    ERASED = "erased"  # the row is gone on request; an erasure deletes the contact


@dataclass(frozen=True, slots=True)
class Step:
    """One way of an address, by a statement of include/sql/state/; None = no row before it."""

    statement: str
    came_from: tuple[Noted | None, ...]
    to: Noted
    task: str
    meaning: str


PLANNING = "approve_plan, find_removals"
REMOVING = "remove_excluded, remove_batch"
REPAIRING = "a verification's repair"
SETTLING = f"{REMOVING}, settle_earlier_runs"

STEPS = (
    Step("fates.note_excluded_addresses", (None,), Noted.NOTED, "stage_clients",
         "its client is newly excluded"),
    Step("fates.note_lost_addresses", (None,), Noted.NOTED, "stage_clients",
         "its client is represented by another one"),
    Step("exclusions.note_found", (None, Noted.NOTED, Noted.MISSED), Noted.NOTED, "plan_batches",
         "a look-up has found a contact at the address of an excluded client"),
    Step("exclusions.leave_former_lists", (None,), Noted.NOTED, "plan_batches",
         "its client is excluded, and the sync had a different list before"),
    Step("confirming.note_former_addresses", (None,), Noted.NOTED, "send_batch",
         "its client has been confirmed at another address"),
    Step("rejections.note_former", (None,), Noted.NOTED, "select_clients",
         "a look-up has shown its rejected client's contact at another address"),
    Step("settling.note_possible_addresses", (None,), Noted.NOTED, "send_batch",
         "whether a contact exists there isn't known"),
    Step("removals.note_gone", (None,), Noted.NOTED, "find_removals, stage_clients",
         "its client is gone from B2CORE, or the client's id belongs to another person now"),
    Step("former_lists.note_listed_addresses", (None,), Noted.NOTED, "find_removals",
         "the sync has a different list now"),
    Step("identity.note_lost_again", (None,), Noted.NOTED, "start_run",
         "the state database went back, and its client has no valid address"),
    Step("identity.look_at_removals_again", (Noted.NOTED,), Noted.NOTED, "start_run",
         "the state database went back: it counts as noted now"),
    Step("confirming.forget_kept", (Noted.KEPT,), Noted.TAKEN, "send_batch, settle_earlier_runs",
         "a client's contact has been confirmed at the address"),
    Step("removals.forget_taken", (Noted.NOTED, Noted.MISSED), Noted.TAKEN,
         f"plan_batches, {PLANNING}", "a client's confirmed contact has the address"),
    Step("confirming.forget_removals", (Noted.NOTED, Noted.MISSED, Noted.KEPT), Noted.TAKEN,
         "send_batch, settle_earlier_runs", "an excluded client's address is another one's now, "
         "whose contact is confirmed"),
    Step("former_lists.stay_on_list", (Noted.NOTED, Noted.MISSED), Noted.TAKEN, "find_removals",
         "the former list is the sync's list again"),
    Step("removals.keep", (Noted.NOTED, Noted.MISSED), Noted.KEPT, PLANNING,
         "the definition says `keep`"),
    Step("removals.keep", (Noted.PLANNED,), Noted.KEPT, SETTLING,
         "the contact is off the sync's list"),
    Step("removals.plan", (Noted.NOTED, Noted.MISSED), Noted.PLANNED, PLANNING,
         "no client needs the contact, and the plan is within the limits or approved"),
    Step("removals.move_to_batch", (Noted.PLANNED,), Noted.MISSED, REMOVING,
         "SendGrid doesn't show the contact yet, or doesn't search the address"),
    Step("removals.count_try", (Noted.PLANNED,), Noted.MISSED, SETTLING,
         "SendGrid accepted the removal and still shows the contact"),
    Step("removals.postpone", (Noted.PLANNED,), Noted.NOTED, SETTLING,
         "the job failed, or what became of it isn't known"),
    Step("removals.forget_deleted", (Noted.PLANNED,), Noted.REMOVED, SETTLING,
         "the contact is deleted, or was not there"),
    Step("removals.forget_unlisted", (Noted.PLANNED,), Noted.REMOVED, SETTLING,
         "the contact is off the former list"),
    Step("repairs.note_unentitled", (None, Noted.NOTED, Noted.MISSED), Noted.NOTED, REPAIRING,
         "a contact has no right to be where it is"),
    Step("repairs.note_foreign", (None,), Noted.NOTED, REPAIRING,
         "it was never a client's, and a person has named their number"),
    Step("rebuilds.note_former", (None,), Noted.NOTED, "a verification's rebuild",
         "its client's contact at another address is equal"),
    Step("pruning.delete_kept_removals", (Noted.KEPT,), Noted.FORGOTTEN,
         "prune", "it is older than `retention.kept_removals`"),
    Step("syncs.reopen_removals", (Noted.KEPT,), Noted.NOTED, "the command forget",
         "the sync that had the contact, too, is retired"),
    Step("syncs.forget_removals", (Noted.NOTED, Noted.PLANNED, Noted.MISSED, Noted.KEPT),
         Noted.FORGOTTEN, "the command forget", "its sync is retired"),
    Step("purging.purge_removals", (Noted.NOTED, Noted.MISSED, Noted.KEPT), Noted.ERASED,
         "an erasure", "a person asked for its client's erasure"),
)  # fmt: skip

KEPT_PLACE = ("clocks.pull_removals", "rehashing.rehash_removals")
"""Statements that write a row and leave the address where it is: the server's clock went back, or
hashes got a new key."""
