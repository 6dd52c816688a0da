"""Whether the tables that a source's statements send are those that it looks at for changes."""

from __future__ import annotations

from collections.abc import Iterator

from contact_sync.b2core.counts import judged, read_counts
from contact_sync.b2core.plans import Table
from contact_sync.b2core.reader import WHAT, Snapshot
from contact_sync.b2core.watch import watched_texts
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.base.source_look import LOOK_REASONS, LookWhy
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.source import ChangeDetection


def changes_findings(snapshot: Snapshot, detection: ChangeDetection) -> Iterator[Finding]:
    """Whether every table whose values are sent is also watched for changes, and can be.

    Reads no client.
    """
    changed = f"changed_{detection}"
    sent, watched = snapshot.tables_of("clients"), snapshot.tables_of(changed)
    if changed == "changed_xmin":
        for table in sorted(watched, key=str):
            yield from _without_xmin(table)
    else:
        for column in snapshot.times_without_zone(changed):
            yield Finding(
                Area.B2CORE, f"{changed}.sql", Judgement.WARNING,
                f"{column} has no time zone and is taken as UTC: if B2CORE writes local times "
                f"there, changes are missed or found late",
                "write it AT TIME ZONE 'the zone', if it isn't UTC",
            )  # fmt: skip
    for table in sorted(sent - watched, key=str):
        yield Finding(
            Area.B2CORE, f"{changed}.sql", Judgement.WARNING,
            f"it doesn't look at {table}, which clients.sql reads: a change there reaches SendGrid "
            f"with the next full run only", f"add {table} to it",
        )  # fmt: skip
    if not sent - watched:
        text = "it looks at every table that clients.sql reads"
        yield Finding(Area.B2CORE, f"{changed}.sql", Judgement.OK, text)


def _without_xmin(table: Table) -> Iterator[Finding]:
    why = {
        "f": f"{table} is a foreign table, whose xmin is always 0: no change would be seen",
        "m": f"{table} is a materialized view: each refresh makes all its rows new",
    }.get(table.kind)
    if why:
        judgement = Judgement.WRONG if table.kind == "f" else Judgement.WARNING
        fix = "say change_detection: updated_at in the definition's source"
        yield Finding(Area.B2CORE, "changed_xmin.sql", judgement, why, fix)


def schedule_finding(snapshot: Snapshot, definition: SyncDefinition) -> Finding:
    """Whether `schedule: changes` notices what changes in B2CORE; reads no client."""
    texts = watched_texts(snapshot.folder, definition.source.change_detection)
    found = read_counts(snapshot.connection, texts, WHAT)
    if not found.unusable:
        seen, found = found, judged(found, snapshot.connection, texts, WHAT)
        if not found.unusable:
            text = f"changes in {count(len(seen.tables), 'table begin', 'tables begin')} a run"
            return Finding(Area.B2CORE, "schedule", Judgement.OK, text)
    why, detail = found.unusable
    how = definition.on_changes
    others = f"with NOTIFY {how.notify} and " if how.notify else ""
    if why == LookWhy.FUNCTIONS:
        others = f"with counted changes, and otherwise {others}"
    return Finding(
        Area.B2CORE, "schedule", Judgement.WARNING,
        f"not every change begins a run: {LOOK_REASONS[why].format(detail=detail)}. Runs begin "
        f"{others}every {count(how.at_least_every_minutes, 'minute')}",
        "correct that, or have B2CORE send a NOTIFY, see on_changes.notify",
    )  # fmt: skip
