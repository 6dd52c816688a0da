"""Erasures outlive the state database: all of them as a file, and back.

The file has tombstones and records, so no personal data. What a restored database has again of the
people in it is found by comparing every client that it knows with the tombstones.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from contact_sync.base.erasure_steps import ErasureStep, TombstoneKind
from contact_sync.base.errors import ConfigError
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.tombstones import HashKeys, Tombstones
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.outer_mark import count_erasures
from contact_sync.state import erasures, purging, tombstones
from contact_sync.state.erasures import SealedStep, Step
from contact_sync.state.ledger import known_clients
from contact_sync.state.purging import Person
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
VERSION = 1
MAX_FILE = 1 << 30


def exported(cursor: Cursor) -> str:
    """Every erasure of the state database, as JSON: what `put_back` takes."""
    found = [_exported(cursor, erasure_id) for erasure_id in erasures.every_id(cursor)]
    return json.dumps({"version": VERSION, "erasures": found}, indent=1, default=_as_text)


def _exported(cursor: Cursor, erasure_id: str) -> dict[str, Any]:
    (erasure,) = erasures.erasures(cursor, beginning=erasure_id)
    stones = tombstones.of_erasure(cursor, erasure_id)
    own = {name: getattr(erasure, name) for name in
           ("erasure_id", "sync_name", "requested_at", "finished_at", "lifted_at")}  # fmt: skip
    steps = [asdict(step) for step in erasures.steps_of(cursor, erasure_id)]
    return own | {"tombstones": stones, "steps": steps}


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def put_back(sync: Sync, text: str) -> int:
    """Add the erasures of a file that the state database doesn't have, and open those again whose
    people it has; returns how many it didn't have.

    Raises ConfigError for a file that isn't one of ours, or was changed since it was written.
    """
    keys, key = sync.hash_keys(), sync.hash_keys().current
    listed = _checked(text, keys)
    new = 0
    with sync.state.transaction() as cursor:
        for one in listed:
            if not erasures.put_back(cursor, one):
                continue
            new += 1
            for step in one["steps"]:
                erasures.add_sealed(cursor, one["erasure_id"], step)
            for stone in one["tombstones"]:
                tombstones.put_up(cursor, one["erasure_id"], stone["sync_name"], [stone])
            step = Step(ErasureStep.IMPORTED, sync.definition.name)
            erasures.record(cursor, one["erasure_id"], step, key)
    reopened = sum(_reopen(sync, keys, *each) for each in _all_syncs(sync))
    count_erasures(sync)
    log.info("%d erasures are put back; %d clients are there again", new, reopened)
    return new


def _all_syncs(sync: Sync) -> Iterable[tuple[int, str]]:
    with sync.state.transaction() as cursor:
        return erasures.all_syncs(cursor).items()


def _checked(text: str, keys: HashKeys) -> list[dict[str, Any]]:
    """The file's erasures with their types, once every seal is as it should be."""
    try:
        data = json.loads(text)
        listed = [_typed(one) for one in data["erasures"]] if data["version"] == VERSION else None
    except (ValueError, KeyError, TypeError):
        listed = None
    if listed is None:
        raise ConfigError("The file is no export of erasures: `erasures NAME --export` makes one")
    for one in listed:
        number = erasures.first_broken(one["erasure_id"], one["steps"], keys)
        if number is not None:
            raise ConfigError(
                f"The file was changed: step {number} of erasure {one['erasure_id'][:8]} isn't as "
                f"it was recorded. Nothing was put back"
            )
    return listed


def _typed(one: dict[str, Any]) -> dict[str, Any]:
    moments = {name: _moment(one[name]) for name in ("requested_at", "finished_at", "lifted_at")}
    stones = [
        {**stone, "kind": str(TombstoneKind(stone["kind"])), "mac": bytes.fromhex(stone["mac"])}
        for stone in one["tombstones"]
    ]
    steps = [
        SealedStep(**{
            **step, "what": ErasureStep(step["what"]), "at": datetime.fromisoformat(step["at"]),
            "seal": bytes.fromhex(step["seal"]),
        })
        for step in one["steps"]
    ]  # fmt: skip
    return {**one, **moments, "tombstones": stones, "steps": steps}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _reopen(sync: Sync, keys: HashKeys, sync_id: int, name: str) -> int:
    """Note what is to be done again in one sync; returns how many clients it knows again."""
    known = known_clients(sync.state, sync_id)
    with sync.state.transaction() as cursor:
        by_erasure = tombstones.by_erasure(cursor, name)
        every = [stone for stones in by_erasure.values() for stone in stones]
        known = _covered(Tombstones.of(every, keys), known)
        for erasure_id, stones in by_erasure.items():
            ids = _covered(Tombstones.of(stones, keys), known).client_id.tolist()
            if not ids:
                continue
            emails = purging.addresses_of_clients(cursor, Person(sync_id, tuple(ids)))
            addresses = dict(zip(emails, address_hashes(emails), strict=True))
            erasures.create_part(cursor, (erasure_id, sync_id), ids, addresses)
            erasures.reopen(cursor, erasure_id)
    return len(known.client_id)


def _covered(found: Tombstones, known: KnownClients) -> KnownClients:
    """Those of the clients who were erased."""
    mask = found.cover(known.client_id, known.email_hash)
    return known.without(known.client_id[~(mask | found.cover_addresses(known.contact_hash))])
