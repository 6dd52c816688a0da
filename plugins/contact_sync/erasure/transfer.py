"""Erasures outlive the state database: all of them as a file, and back.

The file has tombstones and records, so no personal data. What a restored database has again of the
people in it is found by comparing every client that it knows with the tombstones.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from contact_sync.base.erasure_steps import ErasureStep, TombstoneKind
from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count
from contact_sync.contacts.hash_keys import Hashing, HashKey, HashKeys
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.tombstones import Tombstones
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.apply_hash_keys import apply_hash_keys
from contact_sync.run.erasing import held_in_b2core, scanned
from contact_sync.run.outer_mark import count_erasures
from contact_sync.state import erasures, hash_keys, purging, tombstones
from contact_sync.state.erasures import SealedStep, Step
from contact_sync.state.ledger import known_clients
from contact_sync.state.purging import Person
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
VERSION = 2
"""Files of version 1 don't have `keys`: each tag was made by its own key alone."""
MAX_FILE = 1 << 30


@dataclass(frozen=True, slots=True)
class Again:
    """A person in a sync that has something of them again: with addresses that no tombstone stands
    for; `erased`: those that one stands for. Address → its hash."""

    person: Person
    erased: dict[str, int] = field(repr=False)


def exported(cursor: Cursor, key: HashKey) -> str:
    """Every erasure of the state database, as JSON: what `put_back` takes. It is sealed as a whole:
    a file without a tombstone, or with a lifted one, would bring people back."""
    found = [_exported(cursor, erasure_id) for erasure_id in erasures.every_id(cursor)]
    data = {"version": VERSION, "key_id": key.key_id, "keys": hash_keys.in_use(cursor),
            "erasures": json.loads(json.dumps(found, default=_as_text))}  # fmt: skip
    return json.dumps(data | {"seal": _seal(data, key)}, indent=1)


def _seal(data: dict[str, Any], key: HashKey) -> str:
    """HMAC of all of a file but its seal."""
    unsealed = {name: value for name, value in data.items() if name != "seal"}
    return key.mac("export", json.dumps(unsealed, sort_keys=True)).hex()


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
    listed, made_by = _checked(text, keys)
    new = 0
    with sync.state.transaction() as cursor:
        apply_hash_keys(cursor, 0, keys)
        in_use = hash_keys.in_use(cursor)
        for one in listed:
            if not erasures.put_back(cursor, one):
                continue
            new += 1
            for step in one["steps"]:
                erasures.add_sealed(cursor, one["erasure_id"], step)
            for stone in one["tombstones"]:
                stone["tag"] = _tag_here(stone, made_by, in_use, keys)
                tombstones.put_up(cursor, one["erasure_id"], stone["sync_name"], [stone])
            step = Step(ErasureStep.IMPORTED, sync.definition.name)
            erasures.record(cursor, one["erasure_id"], step, key)
        erasures.take_back_loss(cursor, new)
    reopened = _reopen(sync, keys)
    count_erasures(sync)
    log.info(
        "%s put back; %s",
        count(new, "erasure is", "erasures are"),
        count(reopened, "client is there again", "clients are there again"),
    )
    return new


def _tag_here(
    stone: dict[str, Any], made_by: tuple[str, ...], in_use: tuple[str, ...], keys: HashKeys
) -> int:
    """A tombstone's tag as this state database's hashes are made: by the keys of the file, and
    those that came after them. Raises ConfigError where it can't be."""
    made_by = made_by or (stone["key_id"],)
    if made_by != (in_use[: len(made_by)] or (stone["key_id"],)):
        raise ConfigError(
            f"The file's hashes were made with the keys {', '.join(made_by)}, in this order, the "
            f"state database's with {', '.join(in_use) or 'none'}. A state database that is filled "
            f"anew needs all of them from its first run on: the older ones in `former` of the "
            f"connection's extra, the oldest first. Nothing was put back"
        )
    tag, more = np.array([stone["tag"]], np.int64), Hashing.of(in_use[len(made_by) :], keys)
    is_client = stone["kind"] == TombstoneKind.CLIENT
    return int((more.clients(tag) if is_client else more.keyed(tag))[0])


def _checked(text: str, keys: HashKeys) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The file's erasures with their types, once every seal is as it should be; and the keys that
    its hashes were made with."""
    try:
        data = json.loads(text)
        listed = [_typed(one) for one in data["erasures"]] if data["version"] in (1, 2) else None
        made_by = tuple(map(str, data.get("keys", ())))
        key_id, seal = str(data["key_id"]), str(data["seal"])
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
    if not hmac.compare_digest(seal, _seal(data, keys.by_id(key_id))):
        raise ConfigError("The file was changed since it was exported. Nothing was put back")
    return listed, made_by


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


def _reopen(sync: Sync, keys: HashKeys) -> int:
    """Note what is to be done again, in every sync; returns how many clients are known again.

    Addresses that were erased are the person's. What else the state database has of them again may
    be another client's by now, which the erasure left alone: so does this.
    """
    found, how = dict[str, list[Again]](), (keys, sync.hashing())
    with sync.state.transaction() as cursor:
        for sync_id, name in erasures.all_syncs(cursor).items():
            for erasure_id, again in _known_again(sync, cursor, how, (sync_id, name)):
                found.setdefault(erasure_id, []).append(again)
    if not found:
        return 0
    scan = scanned(sync)
    with sync.state.transaction() as cursor:
        hash_keys.hold(cursor, how[1])
        for erasure_id, everywhere in found.items():
            held = purging.held_by_others(cursor, [again.person for again in everywhere])
            for again in everywhere:
                person, more = again.person, again.person.addresses
                theirs = held | held_in_b2core(scan, person.client_ids, more.values())
                own = {email: h for email, h in more.items() if h not in theirs}
                key = (erasure_id, person.sync_id)
                erasures.create_part(cursor, key, person.client_ids, again.erased | own)
            erasures.reopen(cursor, erasure_id)
    every = (again.person for everywhere in found.values() for again in everywhere)
    return sum(len(person.client_ids) for person in every)


def _known_again(
    sync: Sync, cursor: Cursor, how: tuple[HashKeys, Hashing], which: tuple[int, str]
) -> Iterator[tuple[str, Again]]:
    """Of each erasure the person, if a sync (its id, its name) has something of it."""
    sync_id, name = which
    by_erasure = tombstones.by_erasure(cursor, name)
    if not by_erasure:
        return
    every = Tombstones.of([stone for stones in by_erasure.values() for stone in stones], *how)
    known = _covered(every, known_clients(sync.state, sync_id))
    kept = _erased(every, purging.every_address(cursor, sync_id))
    for erasure_id, stones in by_erasure.items():
        own = Tombstones.of(stones, *how)
        ids = tuple(_covered(own, known).client_id.tolist())
        emails = purging.addresses_of_clients(cursor, Person(sync_id, ids))
        addresses = kept | dict(zip(emails, address_hashes(emails, how[1]), strict=True))
        erased = _erased(own, addresses)
        if ids or erased:
            more = {email: addresses[email] for email in emails if email not in erased}
            yield erasure_id, Again(Person(sync_id, ids, more), erased)


def _erased(own: Tombstones, addresses: dict[str, int]) -> dict[str, int]:
    """Those of the addresses that were erased."""
    mask = own.cover_addresses(np.array(list(addresses.values()), np.int64))
    return {email: h for (email, h), is_in in zip(addresses.items(), mask, strict=True) if is_in}


def _covered(found: Tombstones, known: KnownClients) -> KnownClients:
    """Those of the clients who were erased."""
    mask = found.cover(known.client_id, known.email_hash)
    return known.without(known.client_id[~(mask | found.cover_addresses(known.contact_hash))])
