"""Find out who is to be erased, and put up the tombstones: from then on nobody sends the person."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field, replace

import numpy as np

from contact_sync.base.arrays import among
from contact_sync.base.erasure_steps import MAX_REASON, ErasureStep, TombstoneKind
from contact_sync.base.errors import ConfigError
from contact_sync.base.failpoints import reach
from contact_sync.contacts.hash_keys import Hashing, HashKey
from contact_sync.contacts.selection import Scan
from contact_sync.contacts.tombstones import stones_of
from contact_sync.lookup.client_keys import clients_named
from contact_sync.lookup.find_clients import addresses_of, normalised
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.erasing import held_in_b2core, scanned
from contact_sync.state import erasures, hash_keys, purging, runs, tombstones
from contact_sync.state.erasures import Step
from contact_sync.state.purging import Person
from contact_sync.state.suppressed import address_hashes
from contact_sync.sync import Databases

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a person asks to be erased: a client, or whoever has an address; besides, addresses that
    are known to have been theirs."""

    client: str | None = None
    email: str | None = field(default=None, repr=False)
    also: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Who that is: ids in the sync, addresses with their hashes, the person in every sync that has
    a trace of it. `others`: former addresses that other clients have by now, which are left alone;
    `forgotten`: former addresses whose contacts stayed by the definition's word and of which only
    hashes are left; `open`: the unfinished erasure of the same person, if there is one; `hashing`:
    how the hashes were made."""

    client_ids: tuple[int, ...]
    addresses: dict[str, int] = field(repr=False)
    persons: tuple[Person, ...] = field(repr=False)
    hashing: Hashing
    others: int = 0
    forgotten: int = 0
    open: str | None = None


def checked_reason(reason: str) -> str:
    """A reason that may be kept for ever. Raises ConfigError for one that is empty, long, or holds
    what looks like an address."""
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON:
        raise ConfigError(f"An erasure needs a reason of 1 to {MAX_REASON} characters")
    if "@" in text or "\0" in text:
        raise ConfigError(
            "The reason is kept for ever and may say nothing about the person: it has an @, as an "
            "address does. Write the number of your ticket instead"
        )
    return text


def find_person(sync: Databases, subject: Subject, scan: Scan | None = None) -> Found:
    """Who is meant, and every address that the state database has of them; reads all addresses of
    B2CORE, unless they are given. Raises ConfigError when it isn't clear who is meant."""
    sync.state.check_schema()
    hashing = sync.hashing()
    scan = scan or scanned(sync)
    ids, given = _named(sync, subject, scan, hashing)
    with sync.state.transaction() as cursor:
        sync_id = runs.ensure_sync(cursor, sync.definition.name).sync_id
        known = ids or _holders(cursor, sync_id, given, scan)
    also = {_valid(each) for each in subject.also}
    if not ids:  # by an address of before: B2CORE has another one by now
        also |= set(_in_b2core(sync, known))
    with sync.state.transaction() as cursor:
        return _everywhere(cursor, sync_id, tuple(known), (given, also), (scan, hashing))


def _holders(cursor: Cursor, sync_id: int, given: dict[str, int], scan: Scan) -> list[int]:
    """Whose addresses these are in a sync; without such a client, whose they were before they left
    B2CORE: something may be left that only their ids name. Who has such an id by now isn't meant.
    """
    if found := purging.clients_of_addresses(cursor, sync_id, given.values()):
        return found
    left = purging.departed_clients(cursor, sync_id, given.values())
    return [client for client in left if client not in scan.client_id]


def _named(
    sync: Databases, subject: Subject, scan: Scan, hashing: Hashing
) -> tuple[list[int], dict[str, int]]:
    """The ids in B2CORE of who is named, and the addresses that they have there."""
    if subject.email is not None:
        address = _valid(subject.email)
        (email_hash,) = address_hashes([address], hashing)
        holders = scan.client_id[scan.email_hash == email_hash]
        return [int(client) for client in holders], {address: email_hash}
    ids = clients_named(sync, subject.client or "")
    if len(ids) != 1:
        raise ConfigError(
            f"Nobody is erased: {len(ids):,} clients are called so. Name one by its id or key, or "
            f"by its address"
        )
    found = _in_b2core(sync, ids)
    hashes = address_hashes(found, hashing)
    shared = scan.client_id[
        among(scan.email_hash, np.array(hashes, np.int64)) & (scan.email_hash != 0)
    ]
    if others := sorted(set(shared.tolist()) - set(ids)):
        raise ConfigError(
            f"Nobody is erased: client {others[0]} has the same address, and one contact is all "
            f"that both have. Erase whoever has the address (by address), or change it in B2CORE"
        )
    return ids, dict(zip(found, hashes, strict=True))


def _in_b2core(sync: Databases, ids: list[int]) -> list[str]:
    """The addresses that these clients have in B2CORE."""
    written = addresses_of(sync, ids).values() if ids else ()
    return [address for each in written if "@" in (address := normalised(each))]


def _valid(email: str) -> str:
    address = normalised(email)
    if "@" not in address:
        raise ConfigError("Nobody is erased: what was given is no e-mail address")
    return address


def _everywhere(
    cursor: Cursor, sync_id: int, ids: tuple[int, ...],
    named: tuple[dict[str, int], set[str]], source: tuple[Scan, Hashing],
) -> Found:  # fmt: skip
    """Every address, and the person in each sync of the state database. `named`: addresses that
    are meant whoever has them, with their hashes, and those that are the person's unless others
    have them by now."""
    (given, more), (scan, hashing) = named, source
    more |= set(purging.addresses_of_clients(cursor, Person(sync_id, ids)))
    hashes = _with_hashes(more, hashing) | given
    clients = {sync_id: ids}
    for other in erasures.all_syncs(cursor):
        if other != sync_id:
            found = set(_holders(cursor, other, given, scan))
            same = purging.same_clients(cursor, Person(other, ids, hashes))
            clients[other] = tuple(sorted(found.union(same)))
    persons = [Person(one, its, given) for one, its in clients.items()]
    former = {email for one in persons for email in purging.addresses_of_clients(cursor, one)}
    hashes |= _with_hashes(former - hashes.keys(), hashing)
    own = {email: h for email, h in hashes.items() if email not in given}
    held = purging.held_by_others(cursor, [replace(one, addresses=own) for one in persons])
    held |= held_in_b2core(scan, ids, list(own.values()))
    every = given | {email: h for email, h in own.items() if h not in held}
    persons = [replace(one, addresses=every) for one in persons]
    traced = [one for one in persons if one.sync_id == sync_id or purging.has_trace(cursor, one)]
    return Found(
        ids,
        every,
        tuple(traced),
        hashing,
        others=len(own) + len(given) - len(every),
        forgotten=purging.forgotten(cursor, persons[0]),
        open=erasures.open_of(cursor, sync_id, list(every.values()), list(ids)),
    )


def _with_hashes(emails: set[str], hashing: Hashing) -> dict[str, int]:
    return dict(zip(sorted(emails), address_hashes(sorted(emails), hashing), strict=True))


def request(sync: Databases, found: Found, *, by: str, reason: str) -> str:
    """Put up the tombstones and note what is to be done; returns the erasure's id. Who is being
    erased already isn't erased twice at once. Raises ConfigError without a key or for a reason that
    can't be kept."""
    keys, reason = sync.hash_keys(), checked_reason(reason)
    if found.open is not None:
        return found.open
    erasure_id = secrets.token_hex(16)
    with sync.state.transaction() as cursor:
        hash_keys.hold(cursor, found.hashing)
        erasures.create(cursor, erasure_id, sync.definition.name)
        _put_up(cursor, erasure_id, found, keys.for_tombstones(found.hashing))
        numbers = {"addresses": len(found.addresses), "clients": len(found.client_ids),
                   "syncs": len(found.persons)}  # fmt: skip
        step = Step(ErasureStep.REQUESTED, sync.definition.name, by[:MAX_REASON], reason, numbers)
        erasures.record(cursor, erasure_id, step, keys.current)
        reach("erasure_uncommitted")
    reach("erasure_requested")
    log.info("Erasure %s was asked for: %s", erasure_id[:8], numbers)
    return erasure_id


def _put_up(cursor: Cursor, erasure_id: str, found: Found, key: HashKey) -> None:
    hashes, emails = list(found.addresses.values()), list(found.addresses)
    stones = stones_of(TombstoneKind.ADDRESS, (found.hashing, key), hashes, emails)
    tombstones.put_up(cursor, erasure_id, None, stones)
    names = erasures.all_syncs(cursor)
    for person in found.persons:
        ids = list(person.client_ids)
        stones = stones_of(TombstoneKind.CLIENT, (found.hashing, key), ids, list(map(str, ids)))
        tombstones.put_up(cursor, erasure_id, names[person.sync_id], stones)
        erasures.create_part(cursor, (erasure_id, person.sync_id), ids, person.addresses)
