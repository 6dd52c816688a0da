"""What brought contacts, for whoever audits it: when, which addresses, who got no mail then.

Noted when contacts arrive, before anything is checked: what is refused has left its sender, too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.sendgrid_emulator.model.fields import EMAIL, FieldDefinition
from local.sendgrid_emulator.model.spool import Spool
from local.sendgrid_emulator.model.suppressions import Suppressions

MAX_ADDRESSES = 500_000  # of JSON requests; the oldest are forgotten beyond
MAX_SENT = 10_000
InForce = Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Sent:
    """A JSON request or an uploaded file. `at`: seconds since the epoch by the machine's clock,
    which no test moves; `job_id` is empty where none was made; `emails`: those of a request, lower
    case; `file`: an uploaded one, as long as it is kept, and the column of its addresses, None = it
    has none."""

    at: float
    by_test: bool
    in_force: InForce
    job_id: str = ""
    emails: tuple[str, ...] = ()
    file: Spool | None = None
    column: int | None = None


@dataclass(slots=True)
class SentLog:
    """What was sent since the last reset; `forgotten`: of how many nothing is known any more."""

    kept: deque[Sent] = field(default_factory=deque)
    addresses: int = 0
    forgotten: int = 0

    def note_json(self, contacts: object, suppressions: Suppressions, *, by_test: bool) -> Sent:
        """Note the contacts of a request, whatever they look like."""
        sent = Sent(time.time(), by_test, self._in_force(suppressions))
        sent.emails = tuple(_emails(contacts))
        self._keep(sent)
        return sent

    def note_file(
        self, file: Spool, mapping: list[FieldDefinition | None], job_id: str,
        suppressions: Suppressions, *, by_test: bool,
    ) -> None:  # fmt: skip
        """Note an uploaded file; it is read when somebody asks."""
        columns = (n for n, each in enumerate(mapping) if each and each.slot == EMAIL)
        sent = Sent(time.time(), by_test, self._in_force(suppressions), job_id, (), file)
        sent.column = next(columns, None)
        self._keep(sent)

    def forget(self, file: Spool) -> None:
        """A file isn't kept any more."""
        for sent in self.kept:
            if sent.file is file:
                sent.file = None
                self.forgotten += 1

    def _keep(self, sent: Sent) -> None:
        self.kept.append(sent)
        self.addresses += len(sent.emails)
        while self.addresses > MAX_ADDRESSES or len(self.kept) > MAX_SENT:
            self.addresses -= len(self.kept.popleft().emails)
            self.forgotten += 1

    def _in_force(self, suppressions: Suppressions) -> InForce:
        """The suppressions of now; the same object as before while nothing changes."""
        now = suppressions.in_force()
        before = self.kept[-1].in_force if self.kept else None
        return before if before == now else now


def _emails(contacts: object) -> Iterable[str]:
    for contact in contacts if isinstance(contacts, list) else ():
        email: Any = contact.get("email") if isinstance(contact, dict) else None
        if isinstance(email, str):
            yield email.strip().lower()
