"""The sync page in Airflow's navigation: every sync, how it stands, and its last runs."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from shlex import quote

from fastapi import Request, Response

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.installation import time_zone
from contact_sync.base.errors import SyncError
from contact_sync.base.verdicts import Count, told
from contact_sync.base.watching import Watched
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import Definitions, read_definitions
from contact_sync.reporting.freshness import Freshness, freshness
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.watching import schedule_in_words, watch_in_words
from contact_sync.state import verifications
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.suppressed import count_kinds
from contact_sync.state.for_people.syncs import SyncRow, sync_rows
from contact_sync.state.syncs import undefined
from contact_sync.state.verifications import Verification
from contact_sync.state.watches import watched
from contact_sync.web.charts import Trend, trend
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import page
from contact_sync.web.run_line import RunLine, run_line
from contact_sync.web.seen_sync import SeenSync, readable_sync, seen

RUNS = 20
router = make_router()


@dataclass(frozen=True, slots=True)
class Card:
    """One sync of the page. `problem` = its state database can't be asked, and why."""

    sync: SeenSync | None
    definition: SyncDefinition
    may_trigger: bool
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


@router.get("/")
@router.get("/syncs")
def syncs(request: Request, viewer: ViewerDep) -> Response:
    """All syncs whose DAG the viewer may read."""
    found = read_definitions()
    readable = [d for d in found.by_name.values() if viewer.may_read(d.dag_id)]
    shown = cards(viewer, readable)
    return page(
        request,
        "syncs.html",
        title="Contact syncs",
        cards=shown,
        may_edit=viewer.may_edit_connections(),
        broken=found.broken if viewer.may_see_import_errors() else {},
        hidden=len(found.by_name) - len(readable),
        undefined=_undefined(found, shown) if viewer.may_see_import_errors() else {},
    )


@router.get("/syncs/{name}")
def one_sync(request: Request, viewer: ViewerDep, name: str) -> Response:
    """One sync with its last runs."""
    sync = readable_sync(viewer, name)
    (card,) = cards(viewer, [sync.definition])
    return page(request, "sync.html", title=sync.definition.caption, card=card, sync=sync,
                may_edit=viewer.may_edit_connections())  # fmt: skip


def cards(viewer: Viewer, definitions: list[SyncDefinition]) -> list[Card]:
    """What each sync shows; a state database that can't be asked doesn't hide the others."""
    by_state: dict[str, list[SyncDefinition]] = defaultdict(list)
    for definition in definitions:
        by_state[definition.connections.state].append(definition)
    made: dict[str, Card] = {}
    for group in by_state.values():
        try:
            syncs = [seen(viewer, definition) for definition in group]
            made |= {card.definition.name: card for card in _read(syncs[0].state, syncs)}
        except SyncError as error:
            made |= {
                d.name: Card(None, d, viewer.may_trigger(d.dag_id), problem=str(error))
                for d in group
            }
    return [made[definition.name] for definition in definitions]


def _undefined(found: Definitions, shown: list[Card]) -> dict[str, str]:
    """Syncs without a definition in the state databases of the cards, by name, each with its name
    as a shell takes it; none while a file is broken, which may be the definition."""
    states = {card.definition.connections.state: card.sync.state for card in shown if card.sync}
    names: set[str] = set()
    for state in states.values() if not found.broken else ():
        with suppress(SyncError), reading(state) as cursor:  # its own card says what is wrong
            names |= set(undefined(cursor, found.by_name))
    return {name: quote(name) for name in sorted(names)}


def _read(state: StateDatabase, syncs: list[SeenSync]) -> list[Card]:
    names = [sync.name for sync in syncs]
    with reading(state) as cursor:
        rows = sync_rows(cursor, names)
        runs = latest_runs(cursor, names, RUNS)
        counts = {
            sync.name: sum(kind.n for kind in count_kinds(cursor, rows[sync.name].sync_id))
            for sync in syncs
            if sync.definition.suppressions is not None and sync.name in rows
        }
        watches = watched(cursor, names)
        verified = {
            name: verifications.newest(cursor, row.sync_id, only_succeeded=True)
            for name, row in rows.items()
        }
    return [
        replace(
            make_card(sync, rows.get(sync.name), [run for run in runs if run.sync == sync.name]),
            suppressed=counts.get(sync.name),
            verified=verified.get(sync.name),
            watched=watches.get(sync.name),
        )
        for sync in syncs
    ]


def make_card(sync: SeenSync, row: SyncRow | None, runs: list[ShownRun]) -> Card:
    """A sync's row and newest runs, shaped for the page."""
    fresh = freshness(row.read_at if row else None, runs)
    lines = tuple(run_line(run) for run in runs)
    return Card(
        sync,
        sync.definition,
        sync.may_trigger,
        row=row,
        runs=lines,
        freshness=fresh,
        age=fresh.seconds(row.now) if row else None,
        trend=trend(lines) if lines else None,
    )
