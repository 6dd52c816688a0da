"""The page in Airflow's navigation: every sync, what needs a person first."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from shlex import quote
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.installation import time_zone
from contact_sync.airflow_edge.seen_dags import SeenDag, seen_dags
from contact_sync.base.errors import SyncError
from contact_sync.base.json_columns import Result
from contact_sync.base.standing import Standing
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import Definitions, read_definitions
from contact_sync.config.schedule import longest_gap
from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.failure import cause_of
from contact_sync.reporting.freshness import Freshness, freshness
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.reporting.standing import Overview, Stand, Switches, stand_of
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.overview import overviews
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.syncs import SyncRow, sync_rows
from contact_sync.state.syncs import undefined
from contact_sync.web.failures import make_router
from contact_sync.web.overview_view import SyncLine, ordered
from contact_sync.web.rendering import page
from contact_sync.web.seen_sync import state_of

PAST, PENDING_RUNS = 14, 20
NEVER = Overview()
router = make_router()


@router.get("/")
@router.get("/syncs")
def syncs(request: Request, viewer: ViewerDep) -> Response:
    """All syncs whose DAG the viewer may read."""
    found = read_definitions()
    readable = [d for d in found.by_name.values() if viewer.may_read(d.dag_id)]
    states, lines = _lines(viewer, readable)
    sees_all = viewer.may_see_import_errors()
    return page(
        request,
        "syncs.html",
        title="Contact syncs",
        lines=ordered(lines),
        may_edit=viewer.may_edit_connections(),
        broken=found.broken if sees_all else {},
        hidden=len(found.by_name) - len(readable),
        undefined=_undefined(found, states) if sees_all else {},
    )


def _lines(
    viewer: Viewer, definitions: list[SyncDefinition]
) -> tuple[list[StateDatabase], list[SyncLine]]:
    """What each sync shows, and the state databases that could be asked; one that can't be asked
    doesn't hide the others."""
    by_state: dict[str, list[SyncDefinition]] = defaultdict(list)
    for definition in definitions:
        by_state[definition.connections.state].append(definition)
    dags = seen_dags([definition.dag_id for definition in definitions])
    made: dict[str, SyncLine] = {}
    states = []
    for group in by_state.values():
        try:
            state = state_of(group[0])
            made |= _read(viewer, state, group, dags)
            states.append(state)
        except SyncError as error:
            told = cause_of(error, group[0].connections)
            stand = Stand(Standing.UNREADABLE, (told,))
            for each in group:
                made[each.name] = SyncLine(each, stand, viewer.powers(each.dag_id), NEVER)
    return states, [made[definition.name] for definition in definitions]


def _undefined(found: Definitions, states: list[StateDatabase]) -> dict[str, str]:
    """Syncs without a definition in these state databases, by name, each with its name as a shell
    takes it; none while a file is broken, which may be the definition."""
    names: set[str] = set()
    for state in states if not found.broken else ():
        with suppress(SyncError), reading(state) as cursor:  # its own line says what is wrong
            names |= set(undefined(cursor, found.by_name))
    return {name: quote(name) for name in sorted(names)}


def _read(
    viewer: Viewer,
    state: StateDatabase,
    definitions: list[SyncDefinition],
    dags: dict[str, SeenDag],
) -> dict[str, SyncLine]:
    names = [definition.name for definition in definitions]
    with reading(state) as cursor:
        rows = sync_rows(cursor, names)
        found = overviews(cursor, names, PAST)
        fresh = _freshness(cursor, rows, found)
    lines = {}
    for definition in definitions:
        name, dag = definition.name, dags.get(definition.dag_id)
        row, overview = rows.get(name), found.get(name, NEVER)
        lines[name] = SyncLine(
            definition,
            _stand(definition, overview, row.now if row else datetime.now(UTC), dag),
            viewer.powers(definition.dag_id),
            overview,
            freshness=fresh.get(name),
            age=fresh[name].seconds(row.now) if row else None,
            next_run=dag.next_run if dag and definition.sends else None,
            is_paused=bool(dag and dag.is_paused),
            cancels=dag.unfinished if dag else None,
        )
    return lines


def _freshness(
    cursor: Cursor, rows: dict[str, SyncRow], found: dict[str, Overview]
) -> dict[str, Freshness]:
    """By name. Only of a sync with pending clients more than one run has to be looked at."""
    newest = {name: [one.succeeded] for name, one in found.items() if one.succeeded}
    waiting = [
        name for name, (run,) in newest.items() if (run.result or Result()).books.get("pending")
    ]
    runs: dict[str, list[ShownRun]] = defaultdict(list, newest)
    for name in waiting:
        runs[name] = []
    for run in latest_runs(cursor, waiting, PENDING_RUNS) if waiting else []:
        runs[run.sync].append(run)
    return {name: freshness(row.read_at, runs[name]) for name, row in rows.items()}


def _stand(
    definition: SyncDefinition, overview: Overview, now: datetime, dag: SeenDag | None
) -> Stand:
    zoned = now.astimezone(ZoneInfo(time_zone()))
    switches = Switches(
        enabled=definition.enabled,
        shadow=definition.shadow,
        paused=bool(dag and dag.is_paused),
        gap=_gap(definition, zoned),
    )
    return stand_of(switches, overview, now)


def _gap(definition: SyncDefinition, now: datetime) -> timedelta | None:
    """The distance of two runs that begin by themselves; None = none does."""
    if definition.is_watched:
        return timedelta(minutes=definition.on_changes.at_least_every_minutes)
    has_times = definition.schedule and definition.sends
    return longest_gap(str(definition.schedule), now) if has_times else None
