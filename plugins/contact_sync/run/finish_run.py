"""Close a run: balance the books, move the watermark, write the report."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from contact_sync.base import words
from contact_sync.base.errors import BooksDontBalance, FatalError
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Plan, Result, SourceSnapshot
from contact_sync.base.marks import Phase
from contact_sync.base.numbers import count
from contact_sync.base.source_look import Look
from contact_sync.base.vocabulary import FieldType, Lane, RemovalReason, RunKind, RunState
from contact_sync.config.files import read_definitions
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.degraded import degraded, newly_degraded
from contact_sync.reporting.run_report import dropped_lines, field_lines, reasons_in_words
from contact_sync.reporting.sending import sending
from contact_sync.run import profile_drift
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.run.find_removals import OWN
from contact_sync.run.outer_mark import end_mark
from contact_sync.run.plan_batches import describe
from contact_sync.state import (
    batches,
    changes,
    client_keys,
    dropped,
    erasures,
    exclusions,
    identity,
    leases,
    ledger,
    moves,
    refused_values,
    removals,
    row_counts,
    runs,
    staging,
    suppressions_due,
)
from contact_sync.state.address_index import index_addresses
from contact_sync.state.affected import run_before
from contact_sync.state.for_people.jobs import job_sums, jobs_of_run
from contact_sync.state.runs import Run
from contact_sync.state.syncs import Policies, restraints
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
NAMED = 10  # batches


def finish_run(sync: Sync, run: Run) -> Result:
    """End the run and return its result; the lease is free afterwards.

    Raises FatalError while a batch is open, BooksDontBalance when a client's fate isn't known.
    """
    if run.plan is None or run.snapshot is None or run.destination is None:
        raise FatalError(f"Run {run.run_id:,} has no plan: an earlier task didn't finish")
    if run.dry_run:
        with sync.state.transaction() as cursor:
            now, _ = dropped.count_dropped(cursor, run.sync_id, run.run_id)
            result = Result(dropped_now=now)
            runs.finish_run(cursor, run, RunState.SUCCEEDED, result=result)
        _log_report(run.plan, result)
        return result
    _make_findable(sync, run.plan)
    with sync.state.transaction(run.fence) as cursor:
        _refuse_if_open(cursor, run)
        if run.unproven is not None:
            texts = run.destination.mapping.mask(FieldType.TEXT)
            identity.prove(cursor, run.sync_id, run.run_id, texts)
        books = balance(cursor, run)
        refused = ledger.count_refused(cursor, run.sync_id, run.run_id)
        jobs = tuple(job.report() for job in jobs_of_run(cursor, run.run_id))
        sums = job_sums(cursor, [run.run_id])[run.run_id]
        sent = sending(sums, run.plan.counts.get("to_send"))
        refused_values.forget_gone(cursor, run.sync_id)
        left_out = refused_values.count_of_run(cursor, run.sync_id, run.run_id)
        bits = {field.name: field.bit for field in run.destination.mapping.fields}
        ids = (run.sync_id, run.run_id)
        whole = refused_values.refused_for_everybody(cursor, ids, left_out, bits)
        restrained_by = _restraints(cursor, sync, run)
        drift = profile_drift.contradicted(cursor, sync, run, jobs)
        more = {"stale": ledger.count_stale(cursor, run.sync_id), "fields_refused": len(whole),
                "restrained": sum(restrained_by.values()), "contradicted": len(drift)}  # fmt: skip
        wrong = degraded(run.plan, books | more | _undone(cursor, sync, run), jobs)
        rejected = ledger.count_newly_rejected(cursor, run.sync_id, run.run_id)
        worse = newly_degraded(wrong, runs.degraded_before(cursor, run), rejected)
        everyone = run.kind is not RunKind.INCREMENTAL and not run.is_trial
        _forget_unsent(cursor, run, everyone=everyone)
        client_keys.forget_unknown(
            cursor, run.sync_id, has_keys=run.destination.mapping.has_client_key, everyone=everyone
        )
        now, new = dropped.count_dropped(cursor, run.sync_id, run.run_id)
        result = Result(
            books, refused, jobs, wrong, now, new, refused_values.as_counted(left_out),
            restrained_by, sent.to_json(), worse,
        )  # fmt: skip
        changes.close(cursor, run.run_id)
        staging.drop_outbox_of_older_runs(cursor, run.sync_id, run.run_id)  # later ones won't look
        runs.advance_watermark(cursor, run, run.snapshot, run.destination)
        row_counts.forget_older(cursor, run.sync_id, run.run_id, everyone=everyone)
        runs.finish_run(cursor, run, RunState.SUCCEEDED, result=result)
        identity.renew(cursor, run.sync_id)
        leases.release_lease(cursor, run)
        reach("finish_uncommitted")
    reach("run_finished")
    end_mark(sync, run, Phase.ENDED)
    _log_report(run.plan, result)
    log.info("Sent: %s", sent.in_words)
    _log_wrongs(result, left_out, whole)
    profile_drift.tell(sync, drift)
    return result


def _make_findable(sync: Sync, plan: Plan) -> None:
    """What the next runs ask of the ledger is found by indexes: also now, after a first load."""
    index_addresses(sync.state)
    if plan.counts.get("new", 0) > ledger.MANY:
        ledger.analyze_fates(sync.state)


def _log_wrongs(result: Result, left_out: Mapping[str, int], whole: Collection[str]) -> None:
    """What isn't as it should be. `left_out`: how many values of a field SendGrid refused; `whole`:
    fields of which it took none."""
    for why, n in result.refused.items():
        said = words.counted_in_words(why, has_field=True)
        log.warning("Refused by SendGrid: %s x %s", f"{n:,}", said)
    for field, n in left_out.items():
        log.warning("Value left out: %s x %s, which SendGrid refused", f"{n:,}", field)
    for field in whole:
        log.warning("SendGrid took no value of %s at all: compare its type there with the mapping, "
                    "or have the definition leave it out", field)  # fmt: skip
    for what in words.degraded(result.degraded, result.restrained_by):
        log.warning("Degraded: %s", what)
    log.info("Books: %s", ", ".join(f"{n:,} {what}" for what, n in result.books.items()))


def _undone(cursor: Cursor, sync: Sync, run: Run) -> dict[str, int]:
    """Numbers of contacts that have to go and may be there still, or wait for what goes along."""
    found = {
        "in_vain": removals.count_in_vain(cursor, run.sync_id),
        "unmoved": moves.count_open(cursor, run.sync_id),
        "not_unsubscribed": suppressions_due.count_due(cursor, run.sync_id),
    }
    hours = sync.definition.deadlines.erasure_hours
    found["erasures_open"], found["erasures_late"] = erasures.count_open(
        cursor, run.sync_id, hours
    )  # fmt: skip
    if sync.definition.removal_of(RemovalReason.EXCLUDED) != "keep":
        open_ones = exclusions.count_open(cursor, run.sync_id)
        found["not_carried_out"] = open_ones.addresses
        found["unsearchable"] = open_ones.unsearchable
    return found


def _restraints(cursor: Cursor, sync: Sync, run: Run) -> dict[str, int]:
    """Contacts that stay because a sync without a definition has them, by that sync. Nothing is
    said while a file is broken: it may be the definition."""
    definitions = read_definitions()
    if definitions.broken:
        return {}
    policy = {why: sync.definition.removal_of(why) for why in OWN}
    policies = Policies(
        here=mapping_of(run).list_id,
        deletes=[str(why) for why, what in policy.items() if what == "delete"],
        unlists=[str(why) for why, what in policy.items() if what == "unlist"],
    )
    defined = {*definitions.by_name, sync.definition.name}
    return restraints(cursor, run.sync_id, defined, policies)


def _refuse_if_open(cursor: Cursor, run: Run) -> None:
    open_ids = batches.open_batch_ids(cursor, run.run_id, lanes=tuple(Lane))
    if open_ids:
        named = ", ".join(f"{batch_id:,}" for batch_id in open_ids[:NAMED])
        more = f" and {len(open_ids) - NAMED:,} more" if len(open_ids) > NAMED else ""
        which = f"batch {named}" if len(open_ids) == 1 else f"batches {named}{more}"
        raise FatalError(
            f"Nobody knows what became of {which}: a task that sends is red, or was "
            f"marked as success before its job was over. Trigger a new run: it asks SendGrid first"
        )
    if staged := staging.count_outbox(cursor, run.run_id):
        raise FatalError(
            f"{count(staged, 'staged contact is', 'staged contacts are')} in no batch: "
            f"clients were read again after the plan was "
            f"made. The watermark stays, so nothing is lost: trigger a new run"
        )


def balance(cursor: Cursor, run: Run) -> dict[str, int]:
    """selected = confirmed + pending + rejected + excluded, over every client of the snapshot.

    Clients that are gone from B2CORE keep their ledger rows and are counted apart. Of a trial, its
    clients are all.
    """
    snapshot = snapshot_of(run)
    if run.only is not None:
        return {"selected": snapshot.selected} | _balance_trial(cursor, run, run.only)
    if books := _books_before(cursor, run, snapshot):
        return books
    by_fate = ledger.count_by_fate(cursor, run.sync_id)
    gone = snapshot.held or ledger.count_absent(cursor, run.sync_id)
    books = {"selected": snapshot.selected} | by_fate
    if sum(by_fate.values()) - gone != books["selected"]:
        raise BooksDontBalance(
            f"B2CORE has {count(books['selected'], 'client')}, but the ledger knows the fate of "
            f"{sum(by_fate.values()) - gone}: {by_fate}, {gone} gone. This is a defect; the "
            f"watermark stays, so nothing is lost. A full run repairs the ledger"
        )
    return books | {"gone": gone}


def _forget_unsent(cursor: Cursor, run: Run, *, everyone: bool) -> None:
    """Forget the dropped values of clients that aren't sent. To look through the rejected ones
    takes as long as there are such; where nothing has changed nobody was added to them."""
    if _books_before(cursor, run, snapshot_of(run)) is None:
        dropped.forget_unsent(cursor, run.sync_id, everyone=everyone)


def _books_before(cursor: Cursor, run: Run, snapshot: SourceSnapshot) -> dict[str, int] | None:
    """The books of the run before, if nothing has changed since: to count costs as much as there
    are clients."""
    if snapshot.look not in (Look.CHANGES, Look.NOTHING) or snapshot.chosen or snapshot.gone:
        return None
    before = run_before(cursor, run)
    if before is None or not before.is_fit or jobs_of_run(cursor, run.run_id):
        return None
    return before.books if before.books.get("selected") == snapshot.selected else None


def _balance_trial(cursor: Cursor, run: Run, only: tuple[int, ...]) -> dict[str, int]:
    by_fate = ledger.count_by_fate(cursor, run.sync_id, only)
    if (selected := snapshot_of(run).selected) != sum(by_fate.values()):
        raise BooksDontBalance(
            f"The trial is of {count(selected, 'client')}, but the ledger knows the fate of "
            f"{sum(by_fate.values())}: {by_fate}. This is a defect; the next run is right"
        )
    return by_fate | {"gone": 0}


def _log_report(plan: Plan, result: Result) -> None:
    log.info("Result: %s", describe(plan))
    titles = {
        "rejections": "Rejected", "exclusions": "Excluded", "dropped": "Value dropped or cut",
        "stale": "Stale at SendGrid (Number and Date fields can't be cleared)",
        "warned": "Sent although SendGrid suppresses the address",
    }  # fmt: skip
    for line in field_lines(plan.compared, plan.changed_fields):
        log.info("%s", line[:1].upper() + line[1:])
    counted = reasons_in_words(plan)
    for key, title in titles.items():
        if key != "dropped" or result.dropped_new is None:
            for reason, n in counted[key].items():
                log.info("%s: %s x %s", title, f"{n:,}", reason)
    for line in dropped_lines(result.dropped_now, result.dropped_new):
        log.info("%s", line[:1].upper() + line[1:])
