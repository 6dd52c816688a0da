"""Whether the state database is the one that the sync's last run left, or has gone back since.

By evidence from inside: a row that each run rewrites keeps the number of the transaction that wrote
it, and what tells its database, tables and server from others. A row that was restored by any
statement has another `xmin` than it says; a copy of the files has the same one, but runs on a
server that was started later. And by the mark that the run before left outside (base/marks.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contact_sync.base.marks import Mark, Phase
from contact_sync.base.run_life import KindReason
from contact_sync.base.vocabulary import PendingReason
from contact_sync.postgres.cursor import Cursor, one
from contact_sync.state import statements

SQL = statements.load("identity")


@dataclass(frozen=True, slots=True)
class Known:
    """What the state database has of a sync when a run begins.

    `newest`: its newest real run. `is_marked`: a run of it has left a mark at this kind of place.
    `mark_token`, `mark_is_open`: of the run that the mark names, if there is one of that number.
    `is_whole`: the row of evidence is the one that a run wrote, in this database, and is about
    these tables; None = there is none. `same_server` and `same_start`: compared with that row;
    what couldn't be read counts as the same. `former_name`: of another sync here that has the
    mark's life, and `former_newest` its newest real run.
    """

    life: str
    has_read: bool
    unproven: str | None
    newest: int | None
    is_marked: bool
    mark_token: str | None
    mark_is_open: bool | None
    is_whole: bool | None
    same_server: bool
    same_start: bool
    former_name: str | None
    former_newest: int | None
    here: dict[str, Any]


def look(cursor: Cursor, sync_id: int, mark: Mark | None, place: str | None) -> Known:
    """Compare; reads only. `place`: the kind of place where this run leaves its mark."""
    parameters = {
        "sync_id": sync_id,
        "mark_run": mark and mark.run_id,
        "mark_life": mark and mark.life,
        "place": place,
    }
    row = one(cursor, SQL["look"], parameters)
    here = {"system_identifier": None, "timeline": None}
    if row.pop("may_ask_server"):  # a hardened server keeps these functions to itself
        here = one(cursor, SQL["server"])
    before = {name: row.pop(f"{name}_before") for name in here}
    same = all(None in (here[name], before[name]) or here[name] == before[name] for name in here)
    return Known(**row, same_server=same, here=here)


def doubt_of(known: Known, mark: Mark | None) -> KindReason | None:
    """Why the ledger can't be believed any more; None = nothing speaks against it. Pure.

    ========================================================== ==================
    the sync has never run by this database                    None: nothing to doubt
    the mark names a run that the database doesn't know, or
    has as open although it ended                              STATE_WENT_BACK
    the row of evidence isn't there, or was written by
    another statement, into another database or beside other
    tables                                                     STATE_RESTORED
    another server or timeline, no mark of the newest run, or
    its end isn't known here                                   STATE_MOVED
    the server was started anew, and the same                  STATE_RESTARTED
    ========================================================== ==================
    """
    if known.newest is None:
        return None
    if mark and _is_contradicted(mark, known, known.newest):
        return KindReason.STATE_WENT_BACK
    if known.is_whole is False or (known.is_whole is None and known.has_read):
        return KindReason.STATE_RESTORED
    # Nothing that is older than the newest run's end can be lost when that is here. What an open
    # run did last may be: a fail-over loses commits, a disk may be of a moment in the middle of it.
    is_newest = mark is not None and (mark.life, mark.run_id) == (known.life, known.newest)
    if is_newest and not known.mark_is_open:
        return None
    if not known.same_server:
        return KindReason.STATE_MOVED
    return None if known.same_start else KindReason.STATE_RESTARTED


def undone_rename(known: Known, mark: Mark | None) -> str | None:
    """The name that the sync has here, when the database went back to before it was renamed; None =
    nothing says so. Pure.

    A mark of the same life that the database knows, or that is older, is only left over from a
    name that the other sync doesn't have any more.
    """
    if mark is None or known.newest is not None or known.former_name is None:
        return None
    if known.mark_token is not None:
        return known.former_name if known.mark_token != mark.token else None
    return known.former_name if mark.run_id > (known.former_newest or 0) else None


def _is_contradicted(mark: Mark, known: Known, newest: int) -> bool:
    if mark.life != known.life:
        # Of a database that is lost, or of another one that fills the same account since this one
        # left its own mark there.
        return known.is_marked
    if known.mark_is_open is None:
        return mark.run_id > newest  # an older run was forgotten as old runs are
    if known.mark_token != mark.token:
        return True
    return known.mark_is_open and mark.phase is not Phase.BEGUN


def write(cursor: Cursor, sync_id: int, known: Known) -> None:
    """Rewrite the row of evidence, for the next run to compare with."""
    cursor.execute(SQL["write"], {"sync_id": sync_id} | known.here)


def renew(cursor: Cursor, sync_id: int) -> None:
    """Say that what was written until now was written by a run, if the row is still whole."""
    cursor.execute(SQL["renew"], {"sync_id": sync_id})


def doubt(cursor: Cursor, sync_id: int, why: KindReason, mark: Mark | None) -> None:
    """Nothing that the sync knows counts as proven any more: what a resend doesn't send is looked
    up again, too. It stays so until `prove`. Without the mark of a run that left nothing open,
    something may be on its way that the database has forgotten."""
    forgotten = mark is None or mark.phase is not Phase.ENDED
    cursor.execute(SQL["doubt"], {"sync_id": sync_id, "why": why, "forgotten": forgotten})
    cursor.execute(SQL["look_at_excluded_again"], {"sync_id": sync_id})
    cursor.execute(SQL["look_at_removals_again"], {"sync_id": sync_id})
    cursor.execute(SQL["note_lost_again"], {"sync_id": sync_id})


def is_doubted(cursor: Cursor, sync_id: int) -> bool:
    """Whether nothing of the ledger counts as proven."""
    return bool(one(cursor, SQL["is_doubted"], {"sync_id": sync_id})["found"])


def seconds_since_forgotten(cursor: Cursor, sync_id: int) -> float | None:
    """For how long it is known that something may be on its way that nobody knows any more."""
    found = one(cursor, SQL["seconds_since_forgotten"], {"sync_id": sync_id})["seconds"]
    return None if found is None else float(found)


def prove(cursor: Cursor, sync_id: int, run_id: int, texts: int) -> None:
    """The run has sent and looked up everything that could be; what it couldn't stays in doubt
    client by client. `texts`: mask of the fields that the next upsert of those clients empties.
    """
    parameters = {"sync_id": sync_id, "run_id": run_id, "texts": texts}
    cursor.execute(SQL["leave_unproven"], parameters | {"reason": PendingReason.STATE_UNPROVEN})
    believe(cursor, sync_id, texts)


def believe(cursor: Cursor, sync_id: int, texts: int) -> None:
    """What the ledger says is proven, client by client; `texts`: see above."""
    cursor.execute(SQL["widen"], {"sync_id": sync_id, "texts": texts})
    cursor.execute(SQL["prove"], {"sync_id": sync_id})
