"""A sync at work: its definition with handles on both databases, and on SendGrid."""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.b2core.reader import B2Core
from contact_sync.base.marks import Marks
from contact_sync.config.definition import SyncDefinition
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase


@dataclass(frozen=True, slots=True)
class Databases:
    """A definition with its two databases: what a look-up works on that doesn't ask SendGrid."""

    definition: SyncDefinition
    b2core: B2Core
    state: StateDatabase


@dataclass(frozen=True, slots=True)
class Sync(Databases):
    """The same with SendGrid: what every step works on. `marks`: where runs leave theirs; None =
    nowhere."""

    sendgrid: SendGridApi
    marks: Marks | None = None
