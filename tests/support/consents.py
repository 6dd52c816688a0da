"""Consents of a world: a source that has some, and the audit of everything that was sent.

The audit is a judge of its own: whom B2CORE excludes it reads by the statement of the source, and
who gets no mail the emulator says. Nobody may be in a request or file whom one of them kept from it
when the run began, and still did when it was sent; what is said in between, a run may not know yet.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from contact_sync.base.paths import INCLUDE
from local.oracle import masked
from tests.support import connections

if TYPE_CHECKING:
    from tests.support.world import World

PLAIN = INCLUDE / "sql" / "b2core"
KINDS = {
    "unsubscribe": "unsubscribes", "group_unsubscribe": "groups", "spam_report": "spam_reports",
    "invalid": "invalid_emails", "bounce": "bounces", "block": "blocks",
}  # fmt: skip
"""What a definition calls a suppression → what the emulator does."""
RUNS = """SELECT b.job_id, s.name, extract(EPOCH FROM r.started_at)::float
          FROM contact_sync.batch AS b JOIN contact_sync.run AS r USING (run_id)
          JOIN contact_sync.sync AS s ON s.sync_id = r.sync_id WHERE b.job_id IS NOT NULL"""


def opt_out_column(folder: Path, copy: Path) -> Path:
    """A copy of the source's SQL that excludes who is called `opted out`."""
    shutil.copytree(folder, copy)
    case = "CASE WHEN clients.last_name = 'opted out' THEN 'no consent' END AS exclusion"
    for name in ("clients.sql", "scan.sql"):
        text = (copy / name).read_text(encoding="utf-8")
        assert "NULL::text AS exclusion" in text
        (copy / name).write_text(text.replace("NULL::text AS exclusion", case), encoding="utf-8")
    return copy


@dataclass(frozen=True, slots=True)
class Known:
    """At a moment, of one sync: whom B2CORE excludes; for which suppressions, by the emulator's
    names, the definition does, and who has one."""

    at: float
    sync: str
    excluded: frozenset[str]
    kinds: tuple[str, ...]
    suppressed: frozenset[str]


@dataclass
class Audit:
    """What was known when; `look` after each change of B2CORE and before each run, and before the
    state database loses or changes what it knows of runs: of each job, it is noted by which sync
    and by a run that began when."""

    known: list[Known] = field(default_factory=list)
    jobs: dict[str, tuple[str, float]] = field(default_factory=dict)

    def look(self, world: World) -> None:
        """Note what holds now, where the source or the definition knows of consents."""
        if not hasattr(world.emulator, "admin"):  # in a process of its own: nobody would see it
            return
        definition = world.definition
        asked = definition.suppressions
        if world.sql_folder == PLAIN and asked is None and not self.known:
            return
        kinds = tuple(KINDS[kind] for kind in asked.with_policy("exclude")) if asked else ()
        now = world.emulator.admin.suppressed() if kinds else {}
        suppressed = frozenset(email for kind in kinds for email in now[kind])
        excluded = _excluded(world) if world.sql_folder != PLAIN else frozenset()
        self.known.append(Known(time.time(), definition.name, excluded, kinds, suppressed))
        self._note_jobs(world)

    def forget(self) -> None:
        """Another history begins."""
        self.known.clear()
        self.jobs.clear()

    def _note_jobs(self, world: World) -> None:
        for job, name, began in _runs(world):
            self.jobs.setdefault(job, (name, began))

    def wrong(self, world: World) -> list[str]:
        """What was sent and may not have been; sentences without personal data."""
        everybody = frozenset[str]().union(
            *(each.excluded | each.suppressed for each in self.known)
        )
        if not everybody:
            return []
        found = world.emulator.admin.audit(everybody)
        lost = ["the emulator has forgotten some of what was sent"] if found["forgotten"] else []
        self._note_jobs(world)
        return lost + [what for sent in found["sent"] for what in self._wrong_of(sent)]

    def _wrong_of(self, sent: Mapping[str, Any]) -> Iterator[str]:
        at, emails = float(sent["at"]), set(sent["addresses"])
        if not emails:
            return
        names = {each.sync for each in self.known}
        only = next(iter(names)) if len(names) == 1 else ""
        sync, began = self.jobs.get(sent["job_id"], (only, 0.0))
        of_sync = [each for each in self.known if each.sync == sync and each.at <= at]
        if of_sync and not began:  # its answer was lost: by a run of any time
            began = of_sync[0].at
        before = [each for each in of_sync if each.at <= began][-1:]
        for at_first in before:
            lasting = (each.excluded for each in of_sync if each.at > began)
            for email in sorted(at_first.excluded.intersection(emails, *lasting)):
                yield f"{masked(email)} was sent by {sync}, although B2CORE excludes it"
            still = {email for kind in at_first.kinds for email in sent["suppressed"].get(kind, ())}
            for email in sorted(at_first.suppressed & emails & still):
                yield f"{masked(email)} was sent by {sync}, although SendGrid suppresses it"


def _excluded(world: World) -> frozenset[str]:
    """Addresses of clients that the source's statement excludes; none where it is broken, or not
    written yet."""
    file = world.sql_folder / "scan.sql"
    if not file.is_file():
        return frozenset()
    scan = file.read_text(encoding="utf-8")
    statement = f"SELECT email FROM (\n{scan}\n) AS scan WHERE exclusion IS NOT NULL"
    try:
        with connections.connection(world.b2core_url) as connection:
            rows = connection.execute(statement.encode()).fetchall()
    except psycopg.Error:
        return frozenset()
    return frozenset(str(email).strip().lower() for (email,) in rows if email is not None)


def _runs(world: World) -> Collection[tuple[str, str, float]]:
    """Job id, sync, and when its run began; none where the state database is gone."""
    try:
        rows = world.state(RUNS)
    except psycopg.Error:
        return []
    return [(str(job), str(name), float(began)) for job, name, began in rows]
