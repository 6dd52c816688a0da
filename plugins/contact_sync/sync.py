"""A sync at work: its definition with handles on both databases, and on SendGrid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import ConfigError
from contact_sync.base.marks import Marks
from contact_sync.config.account_profile import NOTHING_KNOWN, AccountProfile
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.tombstones import NONE, HashKeys, Tombstones
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import tombstones
from contact_sync.state.database import StateDatabase


def no_hash_keys() -> HashKeys:
    """For whoever was given none. Raises ConfigError."""
    raise ConfigError("No key for the hashes of erased people was given")


@dataclass(frozen=True, slots=True)
class Databases:
    """A definition with its two databases: what a look-up works on that doesn't ask SendGrid.

    `hash_keys` are looked for only where people were, or are to be, erased."""

    definition: SyncDefinition
    b2core: B2Core
    state: StateDatabase
    hash_keys: Callable[[], HashKeys] = field(default=no_hash_keys, kw_only=True)

    def tombstones(self) -> Tombstones:
        """Who was erased and may not be sent by this sync, as it is now. Raises ConfigError when a
        key is missing."""
        with self.state.transaction() as cursor:
            stored = tombstones.in_force(cursor, self.definition.name)
        return Tombstones.of(stored, self.hash_keys()) if stored else NONE


@dataclass(frozen=True, slots=True)
class Sync(Databases):
    """The same with SendGrid: what every step works on. `marks`: where runs leave theirs; None =
    nowhere. `profile`: what is known of the account."""

    sendgrid: SendGridApi
    marks: Marks | None = None
    profile: AccountProfile = field(default=NOTHING_KNOWN, kw_only=True)
