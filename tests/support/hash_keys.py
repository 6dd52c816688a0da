"""The key of the tests' hashes; no log and no table may have it."""

from __future__ import annotations

import json

from contact_sync.contacts.hash_keys import Hashing, HashKey, HashKeys

HASH_KEYS = HashKeys(HashKey("canary-hash-key-0123456789abcdef-0123"))
HASHING = Hashing((HASH_KEYS.current,))
"""How the hashes in the state database are made, once a run has begun."""
AS_CONNECTION = json.dumps({"conn_type": "generic", "password": HASH_KEYS.current.secret})
