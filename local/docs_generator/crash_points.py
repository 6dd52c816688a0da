"""What a crash at each fail point leaves, and who continues."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from local.docs_generator.markdown import code, table
from local.docs_generator.rooms import PACKAGE

AGAIN = "the task again, from its beginning"
POLLED = "the task again: it asks for the job"
POINTS = {
    "lease_taken_uncommitted": ("nothing", AGAIN),
    "run_started": (
        "the run and its lease",
        "the task again, as the same holder: the unfinished run becomes `superseded`, unless it "
        "has begun to send: then it goes on. Any other run once the lease has run out, or by "
        "taking it over",
    ),
    "drained": ("every batch of an earlier run is settled or void", AGAIN),
    "erasure_uncommitted": ("nothing of the request", "whoever asks for it again"),
    "erasure_requested": (
        "tombstones, so that nobody sends the person, and what is to be done",
        "the next run of each sync concerned",
    ),
    "purge_uncommitted": ("what there was of the person", "the task again: it purges"),
    "purged": (
        "nothing of the person but the addresses to be looked for",
        "the task again: it looks for contacts",
    ),
    "contacts_deleted_not_stored": (
        "the same; SendGrid has a job whose id isn't known",
        "the task again: it deletes what is shown. If nothing is, the part ends once the search "
        "can't lag any more",
    ),
    "contacts_deleted": ("the job's id", "the task again: it looks for contacts"),
    "events_erased_not_stored": (
        "the same; SendGrid has a job whose id isn't known",
        "the task again, by another job: the second one finds nothing",
    ),
    "events_erased": ("that job's id, too", "the task again: it looks for the last time"),
    "erasure_end_uncommitted": ("the same", "the task again: it looks for the last time"),
    "erasure_ended": (
        "that nothing was found; the addresses are gone", "nothing has to be repaired",
    ),
    "setup_checked": ("list and fields by id", AGAIN),
    "suppressions_page_uncommitted": (
        "the pages before this one", "the task again: it reads all pages of this kind again",
    ),
    "suppressions_read": (
        "who gets no mail from SendGrid",
        "the task again: it reads what is new since then, and tells of all that is new",
    ),
    "rejections_uncommitted": ("no rejection is looked up", AGAIN),
    "retries_uncommitted": ("nobody who was rejected is sent again", AGAIN),
    "slices_uncommitted": ("nothing of the selection", AGAIN),
    "clients_selected": (
        "the snapshot's place, the slices, who is absent",
        "the task again: it replaces them, and counts an absence once; after `start_run` has "
        "selected more than it stages itself, it takes them as they are",
    ),
    "slice_uncommitted": ("nothing of the slice", AGAIN),
    "slice_staged": (
        "the slice's contacts are staged, the other clients' fates in the ledger, whose values "
        "don't fit",
        "the task again: it replaces them",
    ),
    "excluded_looked_up_uncommitted": (
        "of these excluded clients nothing; those before are looked up",
        "the task again: it looks up the rest",
    ),
    "run_unpacked_uncommitted": ("what is staged is still in blocks", AGAIN),
    "run_unpacked": ("each contact is a row of the outbox", AGAIN),
    "removed_by_hand_uncommitted": ("nobody is kept back", AGAIN),
    "suppressions_uncommitted": ("nothing is held or marked", AGAIN),
    "held_uncommitted": (
        "what SendGrid holds and B2CORE doesn't, as far as it was looked at",
        "the task again: it looks again",
    ),
    "moves_noted_uncommitted": (
        "nothing of what goes along to new addresses", "the task again: it looks again",
    ),
    "plan_uncommitted": ("no plan, no batch", AGAIN),
    "run_planned": ("plan and batches, all `staged`", "the task again: it cuts them again"),
    "approval_uncommitted": ("no decision", "whoever is asked decides again"),
    "plan_decided": ("the decision", AGAIN),
    "removals_noted_uncommitted": ("nothing is noted", AGAIN),
    "removals_uncommitted": ("no batch of removals", AGAIN),
    "removals_planned": (
        "batches of removals, all `staged`", "the task again: it returns the open ones",
    ),
    "excluded_suppressed": (
        "the addresses are noted; SendGrid suppresses them",
        "the task again, or the next run: suppressing twice has the same effect as once",
    ),
    "suppressions_seen_uncommitted": ("the same", "the same"),
    "clients_held_uncommitted": ("the batch as it was planned", "the task again: it looks again"),
    "suppressed_not_sent": (
        "the batch is `staged`; SendGrid suppresses the new addresses",
        "the task again: suppressing twice has the same effect as once",
    ),
    "misses_uncommitted": (
        "all addresses are in the batch still", "the task again: it searches again",
    ),
    "upsert_announced": (
        "`submitting`: whether the call left isn't known",
        "the task again: it sends the same once more. A later run waits for the quarantine, then "
        "makes the clients pending",
    ),
    "upserted_not_stored": (
        "`submitting`; SendGrid has a job whose id isn't known",
        "the same: an upsert that is repeated changes nothing",
    ),
    "moves_looked_at": (
        "as before: what goes along is noted, the former contact is there",
        "the task again: it looks again",
    ),
    "move_announced": (
        "`submitting`: nobody knows whether the call left",
        "the task again: it looks first and sends what isn't there. A later run plans it again; "
        "the former contact isn't removed before",
    ),
    "moved_not_stored": (
        "`submitting`; SendGrid has a job whose id nobody knows", "the same",
    ),
    "delete_announced": (
        "`submitting`: whether the call left isn't known",
        "the task again: it searches again and removes the contacts that it finds. A later run "
        "waits for the quarantine, then plans the removal again",
    ),
    "deleted_not_stored": (
        "`submitting`; SendGrid has a job whose id isn't known",
        "the same: a contact that is gone isn't found",
    ),
    "import_created_not_stored": (
        "the batch as it was; SendGrid has an import without a file",
        "the task again, by another import: an empty one changes nothing",
    ),
    "import_created": (
        "`created`, with the import's id",
        "the task again, by another import. A later run drops it",
    ),
    "upload_announced": (
        "`uploading`: whether the file left isn't known",
        "the task again: it asks for the job and never uploads twice. After `job_hours` the "
        "clients are pending",
    ),
    "uploaded_not_stored": ("`uploading`; SendGrid has the file", POLLED),
    "batch_submitted": ("`submitted` or `uploading`, with the job's id", POLLED),
    "job_pending": ("the same", POLLED),
    "job_over": ("the same", POLLED),
    "removal_looked_at": ("the same", "the task again: it looks again"),
    "batch_unpacked_uncommitted": ("the same", POLLED),
    "batch_unpacked": ("the same; each contact of the batch is a row", POLLED),
    "held_after_uncommitted": ("the same", "the task again: it asks for the job, and looks again"),
    "read_back": ("the same", "the task again: it asks for the job, and reads back again"),
    "batch_split_uncommitted": ("nothing of the outcome", POLLED),
    "batch_settled_uncommitted": ("nothing of the outcome", POLLED),
    "batch_settled": (
        "`settled`; each client's fate is in the ledger", "the task again: with the family's next",
    ),
    "refusals_uncommitted": (
        "the batch is `staged`, with the contacts and values that SendGrid refused",
        "the task again: it is refused again",
    ),
    "batch_cut_uncommitted": (
        "the batch as it was, and none of its parts",
        "the task again: it is refused again, and cut",
    ),
    "refused_single_uncommitted": (
        "its batch is `settled`, nothing is decided about the client",
        "the task again: it closes the family",
    ),
    "single_settled_uncommitted": (
        "its batch is `settled`, the client is pending", "the task again: it closes the family",
    ),
    "finish_uncommitted": ("the run isn't over, the watermark stays", AGAIN),
    "run_finished": (
        "the run is over, the watermark has moved, the lease is free", "nothing has to be repaired",
    ),
    "doubt_uncommitted": (
        "whether the ledger can be believed isn't known yet", "a rebuild by whoever asks for it",
    ),
    "rebuild_uncommitted": (
        "what is equal, nothing of it confirmed", "a rebuild by whoever asks for it again",
    ),
    "repair_uncommitted": (
        "what was found, nothing of it marked", "a repair by whoever asks for it again",
    ),
    "verification_uncommitted": ("no verification", AGAIN),
    "export_ordered_not_stored": (
        "the verification; SendGrid writes exports whose ids aren't known",
        "the task again: it orders others, and those expire",
    ),
    "export_ordered": ("the exports' ids", "the task again, or the next verification, goes on"),
    "clients_stored": (
        "B2CORE's side, not known to be whole", "the task again: it reads B2CORE anew",
    ),
    "contacts_stored": (
        "the account's side, not known to be whole", "the task again: it downloads the export anew",
    ),
    "comparison_uncommitted": ("both sides", AGAIN),
    "sides_compared": (
        "what differs, not looked at again yet", "the task again: it looks at it again",
    ),
    "candidates_looked_at": ("a part of that is looked at", "the task again: it looks at the rest"),
    "verification_end_uncommitted": ("both sides, and what differs", AGAIN),
    "verification_finished": ("the certificate; both sides are gone", "nothing has to be repaired"),
    "pruned_in_part": (
        "a part of what is older than it is kept is deleted",
        "the next verification, or whoever prunes again: the rest is due still",
    ),
}  # fmt: skip
"""By the names given to `reach`, in the order of a run: what is stored then, and who continues."""


def crash_lines() -> list[str]:
    """The table. Raises KeyError when it lacks a point, ValueError when a point is gone."""
    places = dict(_places())
    if gone := POINTS.keys() - places.keys():
        raise ValueError(f"These fail points are gone from the package: {sorted(gone)}")
    if new := places.keys() - POINTS.keys():
        raise KeyError(f"Say in {__name__} what a crash leaves at: {sorted(new)}")
    rows = ((code(name), code(places[name]), *told) for name, told in POINTS.items())
    return table(("Killed at", "In", "What is stored then", "Who continues"), rows)


def _places() -> Iterator[tuple[str, str]]:
    """Each fail point's name and its module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reach":
                module = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
                yield ast.literal_eval(node.args[0]), module
