"""Keyed hashes: who is known again, and by whom."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.erasure_steps import TombstoneKind
from contact_sync.base.errors import ConfigError
from contact_sync.contacts.hash_keys import PLAIN, Hashing, HashKey, HashKeys, Label
from contact_sync.contacts.tombstones import NONE, Tombstone, Tombstones, stones_of

KEY, OTHER = HashKey("a" * 32), HashKey("b" * 32)
BIGINT = st.integers(-(2**63), 2**63 - 1)
ADDRESS, CLIENT = TombstoneKind.ADDRESS, TombstoneKind.CLIENT


def up(
    kind: TombstoneKind, *values: int, key: HashKey = KEY, hashing: Hashing = PLAIN
) -> list[Tombstone]:
    """Tombstones of hashes of addresses, or of ids."""
    rows = stones_of(kind, (hashing, key), list(values), list(map(str, values)))
    return [Tombstone(kind, int(str(row["tag"])), key.key_id) for row in rows]


@given(
    st.lists(BIGINT), st.lists(BIGINT), st.lists(BIGINT), st.lists(BIGINT),
    st.sampled_from([PLAIN, Hashing((KEY,)), Hashing((OTHER, KEY))]),
)  # fmt: skip
def test_exactly_those_are_covered_whose_address_or_id_was_erased(
    ids: list[int], hashes: list[int], dead_ids: list[int], dead_hashes: list[int], by: Hashing
) -> None:
    """No address (0) is nobody's; an id that equals the hash of an address is something else.
    Whether or not the hashes have keys."""
    n = min(len(ids), len(hashes))
    client_id, email_hash = np.array(ids[:n], np.int64), np.array(hashes[:n], np.int64)
    stones = [*up(CLIENT, *dead_ids, hashing=by), *up(ADDRESS, *dead_hashes, 0, hashing=by)]
    covered = Tombstones.of(stones, HashKeys(KEY), by).cover(client_id, email_hash)
    wanted = [
        client in dead_ids or (address in dead_hashes and address != 0)
        for client, address in zip(ids[:n], hashes[:n], strict=True)
    ]
    assert covered.tolist() == wanted
    assert not NONE.cover(client_id, email_hash).any()


def test_each_tombstone_is_compared_with_its_own_key_while_hashes_have_none() -> None:
    """A former key goes on; a tombstone whose key is lost stops everything."""
    stones = [*up(ADDRESS, 1, key=OTHER), *up(ADDRESS, 2)]
    found = Tombstones.of(stones, HashKeys(KEY, (OTHER,)), PLAIN)
    assert found.cover_addresses(np.array([1, 2, 3])).tolist() == [True, True, False]
    with pytest.raises(ConfigError, match=OTHER.key_id):
        Tombstones.of(stones, HashKeys(KEY), PLAIN)


def test_the_hashes_are_those_of_the_standards() -> None:
    """What is stored for ever must be the same in each version: HMAC-SHA256, AES-256."""
    mac = hmac.new(b"a" * 32, b"address\0ann@example.com", hashlib.sha256).digest()
    assert KEY.mac("address", "ann@example.com") == mac
    key = hmac.new(b"a" * 32, b"tags\0", hashlib.sha256).digest()
    block = (7).to_bytes(8, "little") + (1).to_bytes(8, "little")
    sealed = Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update(block)
    assert KEY.tags(Label.TEXT, np.array([7])) == [
        int.from_bytes(sealed[:8], "little", signed=True)
    ]
    assert KEY.tags(Label.TEXT, np.array([7])) != KEY.tags(Label.CLIENT, np.array([7]))
    assert KEY.key_id != OTHER.key_id


def test_a_short_key_is_none() -> None:
    """Whoever has the hashes could try all of them."""
    with pytest.raises(ValueError, match="less than 32"):
        HashKey("a" * 31)
    assert "aaa" not in repr(KEY)
