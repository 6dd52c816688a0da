"""How a failure is told, wherever it is read: in four parts, in one order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from contact_sync.base.errors import B2CORE, SENDGRID, STATE, SyncError
from contact_sync.config.definition import Connections
from contact_sync.reporting.shown_run import ShownRun

WIDTH = 100
HAPPENED, SENT, BY_ITSELF, TO_DO = (
    "What happened", "What has been sent", "What happens by itself", "What to do",
)  # fmt: skip
"""The parts' titles."""
NOT_BEGUN = "Nothing: the run had not begun"
NOT_KNOWN = "Not known: the state database can't be read now"
VERIFICATION = "Nothing: a verification only reads"
DRY_RUN = "Nothing: a dry run changes nothing"
LEFT = "Nothing is lost: the next run continues from the same state"


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened (with what has to be put right), what has been sent by then, what happens by
    itself now, and what a person has to do."""

    happened: str
    sent: str
    by_itself: str
    to_do: str

    @property
    def lines(self) -> list[str]:
        """For a log or a terminal: each part wrapped, after its title."""
        parts = ((HAPPENED, self.happened), (SENT, self.sent), (BY_ITSELF, self.by_itself),
                 (TO_DO, self.to_do))  # fmt: skip
        return [line for title, text in parts for line in _wrapped(title, text)]


def _wrapped(title: str, text: str) -> list[str]:
    first, *more = text.splitlines() or [""]
    lines = [f"{title}: {first}", *(f"  {line}" for line in more)]
    return [folded for line in lines for folded in _folded(line)]


def _folded(line: str) -> list[str]:
    """Names, paths and links stay whole, however long they are."""
    indent = " " * (len(line) - len(line.lstrip(" -")) + 2 * (not line.startswith(" ")))
    return wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False,
                break_on_hyphens=False) or [""]  # fmt: skip


def cause_of(error: SyncError, connections: Connections) -> str:
    """What an error says, and which Airflow connection leads to the server that it is about."""
    ids = {B2CORE: connections.b2core, STATE: connections.state, SENDGRID: connections.sendgrid}
    said = str(error)
    for server, conn_id in ids.items():
        if error.about.startswith(server) and conn_id not in said:
            return f"{said}. The Airflow connection is {conn_id!r}"
    return said


def sent_by(run: ShownRun | None) -> str:
    """What a run had sent when it failed; None = it isn't there."""
    if run is None or run.plan is None:
        return NOT_BEGUN if run is None else "Nothing: the run had no plan yet"
    if run.dry_run:
        return DRY_RUN
    return run.sending.in_words if run.sending.to_send else "Nothing: there was nothing to send"


def next_run(schedule: str | None) -> str:
    """What comes of the run by itself, once it has failed."""
    return f"{LEFT}. {begins(schedule)}"


def begins(schedule: str | None) -> str:
    """How the next run begins; `schedule` in words, None = there is none."""
    if schedule is None:
        return "There is no schedule: somebody has to start it"
    return f"It begins by its schedule: {schedule}"
