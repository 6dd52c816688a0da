"""Who was erased and must not come back, told by keyed hashes alone (hash_keys.py). Pure.

An address's tag is its hash as the state database has it of everybody, so that nothing has to be
computed to compare them. While those hashes have no key, each tombstone is compared by the key that
it was made with: tags of one key over plain hashes are what all hashes become when they get it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from contact_sync.base.arrays import Int64, Mask, among
from contact_sync.base.erasure_steps import TombstoneKind
from contact_sync.contacts.hash_keys import PLAIN, Hashing, HashKey, HashKeys


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One that is in force; `key_id`: of the key that it was made with."""

    kind: TombstoneKind
    tag: int
    key_id: str


class _Group(NamedTuple):
    """Tags of addresses and of clients' ids; `more`: by what the state database's hashes become
    such tags; `whole`: by what ids do."""

    more: Hashing
    whole: Hashing
    addresses: Int64
    ids: Int64


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All that concern a sync."""

    groups: tuple[_Group, ...] = ()

    @classmethod
    def of(cls, stored: Iterable[Tombstone], keys: HashKeys, hashing: Hashing) -> Tombstones:
        """`hashing`: how the state database's hashes are made. Raises ConfigError when a key is
        missing."""
        by_id: dict[str, tuple[list[int], list[int]]] = {}
        for stone in stored:
            key_id = "" if hashing.keys else stone.key_id
            tags = by_id.setdefault(key_id, ([], []))
            tags[stone.kind is TombstoneKind.CLIENT].append(stone.tag)
        groups = []
        for key_id, (addresses, ids) in by_id.items():
            whole = hashing if hashing.keys else Hashing.of([key_id], keys)
            more = PLAIN if hashing.keys else whole
            groups.append(
                _Group(more, whole, np.array(addresses, np.int64), np.array(ids, np.int64))
            )
        return cls(tuple(groups))

    def __bool__(self) -> bool:
        return bool(self.groups)

    def cover(self, client_id: Int64, email_hash: Int64) -> Mask:
        """Which clients were erased: by their ids or by their addresses (0 = none)."""
        found = self.cover_addresses(email_hash)
        for group in self.groups:
            if len(group.ids):
                found |= among(group.whole.clients(client_id), group.ids)
        return found

    def tags(self, client_id: Int64, email_hash: Int64) -> list[tuple[Int64, Int64]]:
        """The tags of clients and of their addresses, by each way in which some were made."""
        return [(g.whole.clients(client_id), g.more.keyed(email_hash)) for g in self.groups]

    def cover_addresses(self, email_hash: Int64) -> Mask:
        """Which addresses, by hash, were erased."""
        found = np.zeros(len(email_hash), bool)
        for group in self.groups:
            if len(group.addresses):
                found |= among(group.more.keyed(email_hash), group.addresses)
        return np.asarray(found & (email_hash != 0), bool)


NONE = Tombstones()
"""Nobody was erased: what nearly every sync has, and what costs nothing."""


def stones_of(
    kind: TombstoneKind, how: tuple[Hashing, HashKey], values: Sequence[int], texts: Sequence[str]
) -> list[dict[str, object]]:
    """Rows of new tombstones: `values`, hashes of addresses or ids, and what they are as text.
    `how`: how the state database's hashes are made, and the current key."""
    (hashing, key), found = how, np.array(values, np.int64)
    used = hashing if hashing.keys else Hashing((key,))
    if kind is TombstoneKind.CLIENT:
        tags = used.clients(found)
    else:
        tags = found if hashing.keys else used.keyed(found)
    return [
        {"kind": str(kind), "tag": int(tag), "mac": key.mac(str(kind), text), "key_id": key.key_id}
        for tag, text in zip(tags, texts, strict=True)
    ]
