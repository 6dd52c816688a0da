"""Give the hashes in the state database the configured keys, before a run reads anything."""

from __future__ import annotations

import logging

from contact_sync.base.errors import ConfigError, ConnectionMissing
from contact_sync.base.numbers import count
from contact_sync.contacts.hash_keys import HashKeys, none_configured
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import hash_keys, rehashing, verifications
from contact_sync.sync import Databases

log = logging.getLogger(__name__)
NO_KEY = (
    "no hash key is configured: whoever can read the state database, or a backup of it, can find "
    "out addresses and values from their hashes by trying. docs/production.md says how to make one"
)
VERIFICATION_HOURS = 24.0
"""A new key waits for a verification, of whichever sync, for so long: what is `deadlines.run_hours`
by default. A longer one has to begin again, once."""


def configured_keys(sync: Databases) -> HashKeys | None:
    """None = no key is configured. Raises ConfigError for a key that is no good."""
    try:
        return sync.hash_keys()
    except ConnectionMissing:
        return None


def new_keys_wait(cursor: Cursor, keys: HashKeys | None) -> bool:
    """Whether keys are configured that the hashes don't have yet. Raises ConfigError when one is
    missing that they have."""
    in_use = hash_keys.in_use(cursor)
    if keys is None:
        if in_use:
            raise ConfigError(none_configured(in_use))
        return False
    return bool(keys.after(in_use))


def apply_hash_keys(cursor: Cursor, sync_id: int, keys: HashKeys | None) -> None:
    """Have all hashes made with all configured keys, in the transaction that has this sync's lease
    (0 = of none): it succeeds as a whole or not at all.

    While others are at work on the same state database, it is left to a later run, which is told.
    Raises ConfigError when a key is missing that hashes have.
    """
    is_new = new_keys_wait(cursor, keys)
    if keys is None:
        log.warning("Hashes of clients have no key, because %s", NO_KEY)
    if keys is None or not is_new:
        return
    before = hash_keys.in_use(cursor)
    new = keys.after(before)
    if not before and not rehashing.fits_tombstones(cursor, new):
        log.warning(
            "The hashes in the state database keep having no key: tombstones were made with "
            "another one than %s, the oldest of the configured keys. Name the key of all of them "
            "as the first of `former`, or erase these people again after lifting theirs",
            new[0].key_id,
        )
        return
    verifications.end_dead(cursor, None, hours=VERIFICATION_HOURS)
    if not rehashing.all_idle(cursor, sync_id):
        log.warning(
            "The hashes in the state database don't have the key %s yet: other syncs or a "
            "verification are at work on it. A run that finds them idle applies it", new[-1].key_id
        )  # fmt: skip
        return
    rows = rehashing.rehash(cursor, before, new)
    told = ", ".join(key.key_id for key in new)
    log.info(
        "The hashes of %s, and all others, got the hash key %s",
        count(rows, "row of a client", "rows of clients"),
        told,
    )
