"""Keyed hashes: of whom or what one is, only somebody with the key can find out. Pure.

Addresses, ids, names and phones are few enough to be tried, millions a second, so that a plain hash
hides nothing from whoever reads the state database. `mac` is the HMAC-SHA256 (RFC 2104) of a text.
Whole columns of clients get `tags` instead, 8 bytes of AES-256 over the 8 bytes of xxh3 or of an
id: 0.05 s of CPU per million, where an HMAC of each takes seconds. A block cipher under a key is a
pseudo-random function, and no two blocks are equal, so no mode has to hide that.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import repeat

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from contact_sync.base.arrays import Int64
from contact_sync.base.errors import ConfigError

MIN_KEY = 32
"""Characters of a key: 128 bits written as hexadecimal digits."""
AT_ONCE = 4_096
"""Texts that are Python's objects at the same time: so few stay in the processor's cache."""
NEW_KEY = "python -c 'import secrets; print(secrets.token_hex(32))'"
"""What makes one."""


class Label(IntEnum):
    """The other 8 bytes of a block: an id that equals a text's hash is something else."""

    TEXT = 1
    CLIENT = 2


@dataclass(frozen=True, slots=True)
class HashKey:
    """A secret by which texts and ids are hashed. Raises ValueError for a short one."""

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

    def tags(self, label: Label, values: Int64) -> Int64:
        """The tag of each hash of a text, or of each client's id."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        blocks = np.empty((len(values), 2), "<i8")
        blocks[:, 0], blocks[:, 1] = values, label
        cipher = Cipher(algorithms.AES256(self.mac("tags", "")), modes.ECB())  # noqa: S305 above
        sealed = cipher.encryptor().update(blocks.data.cast("B") if len(values) else b"")
        return np.frombuffer(sealed, "<i8")[::2].astype(np.int64)


@dataclass(frozen=True, slots=True)
class HashKeys:
    """The configured keys: the one that new records are sealed with, and those before it, the
    oldest first, which older hashes need."""

    current: HashKey
    former: tuple[HashKey, ...] = ()

    def by_id(self, key_id: str) -> HashKey:
        """The key that something was made with. Raises ConfigError when it isn't among them."""
        for key in (self.current, *self.former):
            if key.key_id == key_id:
                return key
        raise ConfigError(
            f"The hash key {key_id}, with which hashes in the state database were made, isn't "
            f"among the configured ones, so that neither clients nor erased people are known "
            f"again. Put it back into the connection of the hash key, the same for all syncs of "
            f"this state database: as its password, or in `former` of its extra. Nothing was sent"
        )

    def for_tombstones(self, in_use: Hashing) -> HashKey:
        """The key of new tombstones. While hashes have none, the one that they get first: all
        tombstones have to have that one then, or hashes could never get any."""
        return self.current if in_use.keys else (*self.former, self.current)[0]

    def after(self, in_use: Sequence[str]) -> tuple[HashKey, ...]:
        """Those that the state database's hashes don't have yet, in the order in which they are to
        be applied. Raises ConfigError when one that is in use is missing."""
        for key_id in in_use:
            self.by_id(key_id)
        new = {key.key_id: key for key in (*self.former, self.current)}
        return tuple(key for key_id, key in new.items() if key_id not in in_use)


def none_configured(in_use: Sequence[str]) -> str:
    """What is wrong, and the fix, where hashes have keys and none is configured."""
    return (
        f"The hashes in the state database were made with the hash key {in_use[-1]}, and none is "
        f"configured here: put that key, not a new one, back into the connection that "
        f"`connections.hash_key` names. Nothing was sent"
    )


@dataclass(frozen=True, slots=True)
class Hashing:
    """How texts become the 64-bit hashes of the state database: by xxh3, then by each key in turn.

    A new key is applied to what is there: a tag's tag. So no text is needed to change the key, and
    all keys are, from then on. Without any, hashes are plain xxh3; 0 = of no text, with keys too.
    """

    keys: tuple[HashKey, ...] = ()

    @classmethod
    def of(cls, in_use: Sequence[str], keys: HashKeys) -> Hashing:
        """By the ids of the keys, in their order. Raises ConfigError when one is missing."""
        return cls(tuple(map(keys.by_id, in_use)))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """What tells these keys, and their order, from others."""
        return tuple(key.key_id for key in self.keys)

    def texts(self, texts: pa.Array, seed: int = 0) -> Int64:
        """The hash of each text as a signed 64-bit integer; null gives 0.

        xxh3_64's output is fixed for all versions, so hashes stored once stay comparable.
        """
        known = texts.cast(pa.binary()).fill_null(b"")
        found = np.empty(len(texts), np.uint64)
        for start in range(0, len(texts), AT_ONCE):
            some = known.slice(start, AT_ONCE).to_numpy(zero_copy_only=False)
            hashes = np.fromiter(map(xxh3_64_intdigest, some, repeat(seed)), np.uint64, len(some))
            found[start : start + AT_ONCE] = hashes
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        return np.where(missing, 0, self._through(Label.TEXT, found))

    def text(self, text: str, seed: int = 0) -> int:
        """The same of one text."""
        found = np.array([xxh3_64_intdigest(text.encode(), seed)], np.uint64)
        return int(self._through(Label.TEXT, found)[0])

    def keyed(self, hashes: Int64) -> Int64:
        """Hashes that were made without these keys, or tags of earlier ones; 0 stays 0."""
        if not self.keys:
            return hashes
        return np.where(hashes == 0, 0, self._through(Label.TEXT, hashes))

    def clients(self, ids: Int64) -> Int64:
        """The tags of clients' ids; or of their tags by earlier keys."""
        return self._through(Label.CLIENT, ids)

    def _through(self, label: Label, values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Int64:
        found = np.asarray(values).view(np.int64)
        for key in self.keys:
            found = key.tags(label, found)
        return found


PLAIN = Hashing()
"""Without a key: what a state database has until one is configured."""
