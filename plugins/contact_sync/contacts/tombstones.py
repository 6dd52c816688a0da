"""Who was erased and must not come back, told by keyed hashes alone. Pure.

Whoever reads the state database can't find out whom a tombstone stands for: addresses and ids are
few enough to be tried, so both kinds of hashes need a key that the database doesn't have. `mac` is
the HMAC-SHA256 (RFC 2104) of the address itself. Whole columns of clients are compared by `tag`,
8 bytes of AES-256 over the 8 bytes that runs have already, an address's xxh3 or an id: 0.2 s of
CPU per million clients for both, where an HMAC of each takes seconds. A block cipher under a key is
a pseudo-random function, and no two blocks are equal, so no mode has to hide that.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from contact_sync.base.arrays import Int64, Mask, among
from contact_sync.base.erasure_steps import TombstoneKind
from contact_sync.base.errors import ConfigError

MIN_KEY = 32
"""Characters of a key: 128 bits written as hexadecimal digits."""
LABELS = {TombstoneKind.ADDRESS: 1, TombstoneKind.CLIENT: 2}
"""The other 8 bytes of a block: an id that equals a hash is something else."""


@dataclass(frozen=True, slots=True)
class HashKey:
    """A secret by which addresses and ids are hashed. Raises ValueError for a short one."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_KEY:
            raise ValueError(f"it has less than {MIN_KEY} characters")

    @property
    def key_id(self) -> str:
        """Tells one key from another; says nothing about it."""
        return self.mac("key id", "")[:6].hex()

    def mac(self, purpose: str, text: str) -> bytes:
        """HMAC-SHA256, 32 bytes; the same text gives another one for another purpose."""
        message = f"{purpose}\0{text}".encode()
        return hmac.new(self.secret.encode(), message, hashlib.sha256).digest()

    def tags(self, kind: TombstoneKind, values: Int64) -> Int64:
        """The tag of each hash of an address, or of each client's id."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        blocks = np.empty((len(values), 2), "<i8")
        blocks[:, 0], blocks[:, 1] = values, LABELS[kind]
        cipher = Cipher(algorithms.AES256(self.mac("tags", "")), modes.ECB())  # noqa: S305 above
        sealed = cipher.encryptor().update(blocks.tobytes())
        return np.frombuffer(sealed, "<i8")[::2].astype(np.int64)


@dataclass(frozen=True, slots=True)
class HashKeys:
    """The key that new tombstones are made with, and those before it, which old ones need."""

    current: HashKey
    former: tuple[HashKey, ...] = ()

    def by_id(self, key_id: str) -> HashKey:
        """The key of a tombstone. Raises ConfigError when it isn't among them."""
        for key in (self.current, *self.former):
            if key.key_id == key_id:
                return key
        raise ConfigError(
            f"The key {key_id} of tombstones isn't among the configured ones, so that erased "
            f"people can't be told from others. Put it back into the connection of the hash key: "
            f"as its password, or in `former` of its extra. Nothing was sent"
        )


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One that is in force; `key_id`: of the key that it was made with."""

    kind: TombstoneKind
    tag: int
    key_id: str


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All that concern a sync: by key, the tags of addresses and of its clients' ids."""

    by_key: tuple[tuple[HashKey, Int64, Int64], ...] = ()

    @classmethod
    def of(cls, stored: Iterable[Tombstone], keys: HashKeys) -> Tombstones:
        """With the keys of all of them. Raises ConfigError when one is missing."""
        by_id: dict[str, tuple[list[int], list[int]]] = {}
        for stone in stored:
            tags = by_id.setdefault(stone.key_id, ([], []))
            tags[stone.kind is TombstoneKind.CLIENT].append(stone.tag)
        return cls(
            tuple(
                (keys.by_id(key_id), np.array(of_addresses, np.int64), np.array(ids, np.int64))
                for key_id, (of_addresses, ids) in by_id.items()
            )
        )

    def __bool__(self) -> bool:
        return bool(self.by_key)

    def cover(self, client_id: Int64, email_hash: Int64) -> Mask:
        """Which clients were erased: by their ids or by their addresses (0 = none)."""
        found = self.cover_addresses(email_hash)
        for key, _, ids in self.by_key:
            if len(ids):
                found |= among(key.tags(TombstoneKind.CLIENT, client_id), ids)
        return found

    def tags(self, client_id: Int64, email_hash: Int64) -> list[tuple[Int64, Int64]]:
        """The tags of clients and of their addresses, by each of the keys."""
        kinds = ((TombstoneKind.CLIENT, client_id), (TombstoneKind.ADDRESS, email_hash))
        tags = [[key.tags(kind, values) for kind, values in kinds] for key, _, _ in self.by_key]
        return [(ids, addresses) for ids, addresses in tags]

    def cover_addresses(self, email_hash: Int64) -> Mask:
        """Which addresses, by hash, were erased."""
        found = np.zeros(len(email_hash), bool)
        for key, of_addresses, _ in self.by_key:
            if len(of_addresses):
                found |= among(key.tags(TombstoneKind.ADDRESS, email_hash), of_addresses)
        return np.asarray(found & (email_hash != 0), bool)


NONE = Tombstones()
"""Nobody was erased: what nearly every sync has, and what costs nothing."""


def stones_of(
    kind: TombstoneKind, key: HashKey, values: Sequence[int], texts: Sequence[str]
) -> list[dict[str, object]]:
    """Rows of new tombstones: `values`, hashes of addresses or ids, and what they are as text."""
    tags = key.tags(kind, np.array(values, np.int64))
    return [
        {"kind": str(kind), "tag": int(tag), "mac": key.mac(str(kind), text), "key_id": key.key_id}
        for tag, text in zip(tags, texts, strict=True)
    ]
