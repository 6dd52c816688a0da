"""Whether a run has nothing to do, by one look at B2CORE and a few at the ledger: nothing was
written since the run before (`still_source`), and nobody waits (`is_nobody_left`).

It is the short way to what a snapshot of B2CORE would say (`select_clients`), and says less often
that there is nothing to do: in doubt B2CORE is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from contact_sync.b2core.statements import texts_hash
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.run_life import KindReason
from contact_sync.base.source_look import Look, SourceCounts
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.source import ChangeDetection
from contact_sync.run.decide_look import Asked, Decided, decide_look
from contact_sync.run.lost_rows import ENOUGH_LOOKED_AT, parts_to_count
from contact_sync.run.run_kind import decide_kind, doubt
from contact_sync.state import address_index, row_counts
from contact_sync.state.affected import RunBefore, nobody_waits
from contact_sync.state.runs import Run, SyncState
from contact_sync.sync import Sync


@dataclass(frozen=True, slots=True)
class Still:
    """Where B2CORE stands, how that was decided, and the run's kind, why, and the detail of that.
    `here.selected`: how many clients B2CORE has."""

    here: SourceSnapshot
    decided: Decided
    kind: tuple[RunKind, KindReason, str | None]


def still_source(
    sync: Sync, run: Run, known: SyncState, before: RunBefore | None, mapping_version: str
) -> Still | None:
    """None = something was written, or B2CORE has to be asked whether. `mapping_version`: of the
    mapping that the run has."""
    definition, mark = sync.definition, known.watermark
    is_usual = run.kind is RunKind.INCREMENTAL and not run.dry_run and run.only is None
    by_counts = definition.source.change_detection is ChangeDetection.XMIN
    if not (
        is_usual and by_counts and before and before.is_fit and definition.suppressions is None
    ):
        return None
    here = sync.b2core.standing_still(mark)
    if here is None or mark is None:
        return None
    here = replace(here, statements=statements_hash(sync), selected=mark.selected)
    kind = decide_kind(definition, run.kind, known, here, mapping_version, unproven=doubt(run))
    asked = Asked(kind[0], run.is_trial, run.retry_rejected, here, here.counts)
    decided = decide_look(asked, mark, before)
    return Still(here, decided, kind) if decided.look is Look.NOTHING else None


def statements_hash(sync: Sync) -> str:
    """Of the statements that the run reads B2CORE by."""
    changed = f"changed_{sync.definition.source.change_detection}"
    return texts_hash(sync.b2core.folder, "clients", "scan", changed)


def is_nobody_left(sync: Sync, run: Run, before: RunBefore, counts: SourceCounts | None) -> bool:
    """Whether every run would pass over everybody, and B2CORE's rows needn't be counted."""
    with sync.state.transaction() as cursor:
        kept = row_counts.newest(cursor, run.sync_id, run.run_id)
        return (
            (kept.looked_at < ENOUGH_LOOKED_AT if kept else not parts_to_count(counts))
            and address_index.is_there(cursor)
            and nobody_waits(cursor, run.sync_id, quiet=before.was_quiet)
        )  # fmt: skip
