"""One sync: how it stands, its last runs, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import Request, Response

from contact_sync.airflow_edge.access import Powers, Viewer, ViewerDep
from contact_sync.airflow_edge.installation import time_zone
from contact_sync.airflow_edge.seen_dags import SeenDag, seen_dags
from contact_sync.base.errors import SyncError
from contact_sync.base.verdicts import Count, told
from contact_sync.base.watching import Watched
from contact_sync.config.definition import SyncDefinition
from contact_sync.reporting.failure import cause_of
from contact_sync.reporting.freshness import Freshness, freshness
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.watching import schedule_in_words, watch_in_words
from contact_sync.state import verifications
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.suppressed import count_kinds
from contact_sync.state.for_people.syncs import SyncRow, sync_rows
from contact_sync.state.verifications import Verification
from contact_sync.state.watches import watched
from contact_sync.web.charts import Trend, trend
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import page
from contact_sync.web.run_line import RunLine, run_line
from contact_sync.web.seen_sync import SeenSync, readable_sync

RUNS = 20
NO_POWERS = Powers(start=False, pause=False, cancel=False, decide=False)
DONE = {
    "paused": "The DAG is paused: no run begins until somebody unpauses it.",
    "unpaused": "The DAG isn't paused any more: runs begin as its schedule says.",
    "cancelled": "The run is being cancelled: its tasks end, and its last one frees the lease. "
    "What SendGrid has already taken stays; the next run continues from there.",
}
"""What a button has done, by the word in the page's address."""
router = make_router()


@dataclass(frozen=True, slots=True)
class Card:
    """The sync of the page. `problem` = its state database can't be asked, and why. `dag` None =
    Airflow hasn't read it yet."""

    sync: SeenSync
    powers: Powers
    dag: SeenDag | None = None
    problem: str = ""
    row: SyncRow | None = None
    runs: tuple[RunLine, ...] = ()
    freshness: Freshness | None = None
    age: float | None = None
    trend: Trend | None = None
    suppressed: int | None = None
    """How many suppressions are in force; None = the definition doesn't ask for them."""
    verified: Verification | None = None
    watched: Watched | None = None

    @property
    def schedule(self) -> str:
        """When runs begin by themselves, in words."""
        return schedule_in_words(self.definition, time_zone())

    @property
    def watch(self) -> str:
        """What the watch of B2CORE sees, in words; "" = there is none, or no run has been yet."""
        if self.row is None or not self.definition.is_watched:
            return ""
        return watch_in_words(self.watched, self.row.now)

    @property
    def definition(self) -> SyncDefinition:
        """What the sync's file says."""
        return self.sync.definition

    @property
    def is_paused(self) -> bool:
        """Whether its DAG is paused in Airflow."""
        return bool(self.dag and self.dag.is_paused)

    @property
    def cancels(self) -> str | None:
        """The DAG run that can be cancelled; None = none is unfinished."""
        return self.dag.unfinished if self.dag else None

    @property
    def compared(self) -> str:
        """How many contacts the newest verification compared, in words."""
        counts = self.verified.counts if self.verified else {}
        return told(Count.COMPARED, counts.get(Count.COMPARED, 0))

    @property
    def last(self) -> RunLine | None:
        """The newest run."""
        return self.runs[0] if self.runs else None

    @property
    def balanced(self) -> RunLine | None:
        """The newest run that has balanced its books."""
        return next((run for run in self.runs if run.books), None)

    @property
    def holder(self) -> str:
        """Who is at work; "" = nobody."""
        return (self.row.holder if self.row else None) or ""

    @property
    def holding_dag_run(self) -> tuple[str, str] | None:
        """The DAG run that is at work; None if it is a command line."""
        return dag_run_of(self.holder)


@router.get("/syncs/{name}")
def one_sync(
    request: Request, viewer: ViewerDep, name: str, started: str = "", waits: str = "",
    done: str = "",
) -> Response:  # fmt: skip
    """One sync with its last runs. `started`: the DAG run that a button has just started, which
    `waits` for a paused DAG; `done`: what another button has done."""
    sync = readable_sync(viewer, name)
    return page(request, "sync.html", title=sync.definition.caption, card=_card(viewer, sync),
                sync=sync, may_edit=viewer.may_edit_connections(), started=started, waits=waits,
                done=DONE.get(done, ""))  # fmt: skip


def _card(viewer: Viewer, sync: SeenSync) -> Card:
    """What the page shows; a state database that can't be asked leaves the buttons."""
    dag_id = sync.definition.dag_id
    dag = seen_dags([dag_id]).get(dag_id)
    try:
        card = _read(sync)
    except SyncError as error:
        card = Card(sync, NO_POWERS, problem=cause_of(error, sync.definition.connections))
    return replace(card, powers=viewer.powers(dag_id), dag=dag)


def _read(sync: SeenSync) -> Card:
    definition = sync.definition
    with reading(sync.state) as cursor:
        row = sync_rows(cursor, [sync.name]).get(sync.name)
        runs = latest_runs(cursor, [sync.name], RUNS)
        suppressed = verified = None
        if row and definition.suppressions is not None:
            suppressed = sum(kind.n for kind in count_kinds(cursor, row.sync_id))
        if row:
            verified = verifications.newest(cursor, row.sync_id, only_succeeded=True)
        watch = watched(cursor, [sync.name]).get(sync.name)
    return replace(
        make_card(sync, row, runs), suppressed=suppressed, verified=verified, watched=watch
    )


def make_card(sync: SeenSync, row: SyncRow | None, runs: list[ShownRun]) -> Card:
    """A sync's row and newest runs, shaped for the page."""
    fresh = freshness(row.read_at if row else None, runs)
    lines = tuple(run_line(run) for run in runs)
    return Card(
        sync,
        NO_POWERS,
        row=row,
        runs=lines,
        freshness=fresh,
        age=fresh.seconds(row.now) if row else None,
        trend=trend(lines) if lines else None,
    )
