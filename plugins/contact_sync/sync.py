"""A sync at work: its definition with handles on both databases and on SendGrid."""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.b2core.reader import B2Core
from contact_sync.base.marks import Marks
from contact_sync.config.definition import SyncDefinition
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase


@dataclass(frozen=True, slots=True)
class Sync:
    """A definition with its handles: what every step works on. `marks`: where runs leave theirs;
    None = nowhere."""

    definition: SyncDefinition
    b2core: B2Core
    state: StateDatabase
    sendgrid: SendGridApi
    marks: Marks | None = None
