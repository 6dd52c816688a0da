"""A sync at work: its definition with handles on both databases, and on SendGrid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import ConfigError, ConnectionMissing
from contact_sync.base.marks import Marks
from contact_sync.config.account_profile import NOTHING_KNOWN, AccountProfile
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.hash_keys import PLAIN, Hashing, HashKeys, none_configured
from contact_sync.contacts.tombstones import NONE, Tombstones
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state import hash_keys, tombstones
from contact_sync.state.database import StateDatabase


def no_hash_keys() -> HashKeys:
    """For whoever was given none. Raises ConnectionMissing."""
    raise ConnectionMissing("No hash key was given")


@dataclass(frozen=True, slots=True)
class Databases:
    """A definition with its two databases: what a look-up works on that doesn't ask SendGrid.

    `hash_keys` raises ConnectionMissing where none is configured."""

    definition: SyncDefinition
    b2core: B2Core
    state: StateDatabase
    hash_keys: Callable[[], HashKeys] = field(default=no_hash_keys, kw_only=True)

    def hashing(self) -> Hashing:
        """How the state database's hashes are made, as it is now. Raises ConfigError when a key is
        missing."""
        with self.state.transaction() as cursor:
            in_use = hash_keys.in_use(cursor)
        return self._by(in_use)

    def tombstones(self) -> Tombstones:
        """Who was erased and may not be sent by this sync, as it is now. Raises ConfigError when a
        key is missing."""
        with self.state.transaction() as cursor:
            stored = tombstones.in_force(cursor, self.definition.name)
            in_use = hash_keys.in_use(cursor) if stored else ()
        if not stored:
            return NONE
        hashing = self._by(in_use)
        return Tombstones.of(stored, self.hash_keys(), hashing)

    def _by(self, in_use: tuple[str, ...]) -> Hashing:
        if not in_use:
            return PLAIN
        try:
            keys = self.hash_keys()
        except ConnectionMissing:
            raise ConfigError(none_configured(in_use)) from None
        return Hashing.of(in_use, keys)


@dataclass(frozen=True, slots=True)
class Sync(Databases):
    """The same with SendGrid: what every step works on. `marks`: where runs leave theirs; None =
    nowhere. `profile`: what is known of the account."""

    sendgrid: SendGridApi
    marks: Marks | None = None
    profile: AccountProfile = field(default=NOTHING_KNOWN, kw_only=True)
