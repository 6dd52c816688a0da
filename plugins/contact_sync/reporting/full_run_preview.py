"""What a full run now would send, about: from what is known without reading a client. Pure.

The base is the newest dry run of mode full, if nothing was sent since; else what the sync itself
knows: clients that are sent again, contacts that are to go. To it come rows that PostgreSQL has
counted in B2CORE since that base read it: a row is at most a contact, if it is one of a client and
not of a table that many clients share, so that they make the upper end of a range.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contact_sync.base.moments import moment
from contact_sync.base.numbers import count
from contact_sync.base.run_life import kind_reason


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that were written into B2CORE's tables since it was read, and into which `tables`."""

    inserted: int
    updated: int
    deleted: int
    tables: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """All of them."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Planned:
    """Contacts that the base would send and remove: `changed` are all that aren't `new`."""

    new: int
    changed: int
    removed: int

    @property
    def sent(self) -> int:
        """How many contacts it would send."""
        return self.new + self.changed


@dataclass(frozen=True, slots=True)
class FullRunPreview:
    """`planned`: None = no run has finished yet, so that all clients are sent. `dry_run`: whose
    plan that is, and its `age`; None = `planned` is counted now. `read_at`: when that base
    read B2CORE. `written` since then; None = not counted, and `uncounted` says why. `edited`: the
    definition was, since the last run. `unproven`: why the ledger isn't believed. `held`: absent
    clients whose contacts stay until a person names their number."""

    planned: Planned | None
    dry_run: int | None = None
    age: timedelta = timedelta()
    read_at: datetime | None = None
    written: Written | None = None
    uncounted: str = ""
    edited: bool = False
    unproven: str | None = None
    held: int = 0

    @property
    def sentence(self) -> str:
        """The answer."""
        planned, more = self.planned, self.written
        if planned is None:
            return "A full run now would be the first load: it sends every client of B2CORE."
        if self.unproven:
            return "A full run now would send every contact again, whether or not it has changed."
        high = planned.sent + more.inserted + more.updated if more else planned.sent
        sent = _span(planned.sent, high)
        kinds = ", ".join([
            f"{_span(planned.new, planned.new + (more.inserted if more else 0))} new",
            f"{_span(planned.changed, planned.changed + (more.updated if more else 0))} changed",
            f"{_span(planned.removed, planned.removed + (more.deleted if more else 0))} removed",
        ])  # fmt: skip
        about = "about" if more else "at least"
        contacts = "contact" if sent == "1" else "contacts"
        return f"A full run now would send {about} {sent} {contacts} ({kinds})."

    @property
    def base(self) -> str:
        """Where the numbers come from, and how old they are."""
        if self.planned is None:
            return "No run has finished yet, so that nothing can be compared."
        read = f"B2CORE was read last at {moment(self.read_at)}"
        if self.dry_run is not None:
            return (
                f"The plan of dry run {self.dry_run:,}, {_in_words(self.age)} old: it compared "
                f"every client, and nothing was sent since; {read}."
            )
        return (
            f"Counted now from what the sync knows: clients that are sent again whatever changes, "
            f"and contacts that are to go. {read}."
        )

    @property
    def since(self) -> str:
        """What has been written since the base was read, or why nobody can say."""
        if self.planned is None:
            return ""
        if self.written is None:
            return f"What has changed in B2CORE isn't in it: {self.uncounted}."
        rows = count(self.written.rows, "row")
        if not self.written.rows:
            return "No row was written into B2CORE's tables."
        return (
            f"{rows} written into B2CORE's tables ({', '.join(self.written.tables)}) "
            f"{'makes' if self.written.rows == 1 else 'make'} the range: at most a contact for "
            f"each, unless it is of a table that many clients share, such as levels."
        )

    @property
    def warnings(self) -> list[str]:
        """Why the run may send quite another number."""
        found = []
        if self.unproven and self.planned is not None:
            found.append(f"The ledger isn't believed: {kind_reason(self.unproven)}.")
        if self.edited and self.planned is not None:
            found.append(
                "The definition was edited since the last run: how many contacts that changes, "
                "only a dry run can count."
            )
        if self.held:
            are = "client is" if self.held == 1 else "clients are"
            found.append(
                f"{self.held:,} absent {are} held: the contacts stay until a person names "
                f"exactly their number."
            )
        return found


def _in_words(age: timedelta) -> str:
    """ "3 minutes", "2 hours", "4 days"."""
    seconds = age.total_seconds()
    for size, name in ((86_400, "day"), (3_600, "hour")):
        if seconds >= 2 * size:
            return count(int(seconds // size), name)
    return count(max(0, int(seconds // 60)), "minute")


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
