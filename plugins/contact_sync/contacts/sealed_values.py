"""Values of a contact before and after a change, encrypted for the state database. Pure.

AES-256-GCM with a key that the database doesn't have, made from the key of hashes; the run and the
client are authenticated with it, so that a row that was copied to another client can't be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from contact_sync.contacts.hash_keys import HashKey, HashKeys

BeforeAfter = Mapping[str, tuple[str, str]]
"""SendGrid's name of a field → its value before and after, "" = none."""
NONCE, KEY_ID = 12, 6
"""Bytes (NIST SP 800-38D recommends 96 bits; `HashKey.key_id` has 6)."""


def seal(key: HashKey, whose: tuple[int, int], values: BeforeAfter) -> bytes:
    """`whose`: ids of run and client."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, text = os.urandom(NONCE), json.dumps(values, ensure_ascii=False).encode()
    sealed = AESGCM(key.mac("values", "")).encrypt(nonce, text, _bound(whose))
    return bytes.fromhex(key.key_id) + nonce + sealed


def unseal(keys: HashKeys, whose: tuple[int, int], sealed: bytes) -> BeforeAfter:
    """What was sealed. Raises ConfigError when the key isn't configured any more, ValueError when
    the value isn't this client's in this run."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = keys.by_id(sealed[:KEY_ID].hex())
    nonce, text = sealed[KEY_ID : KEY_ID + NONCE], sealed[KEY_ID + NONCE :]
    try:
        opened = AESGCM(key.mac("values", "")).decrypt(nonce, text, _bound(whose))
    except InvalidTag:
        raise ValueError("a sealed value isn't of this run and client") from None
    return {name: (before, after) for name, (before, after) in json.loads(opened).items()}


def _bound(whose: tuple[int, int]) -> bytes:
    return f"{whose[0]}/{whose[1]}".encode()
