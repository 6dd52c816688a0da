"""The key of the tests by which erased people are known again; no log and no table may have it."""

from __future__ import annotations

import json

from contact_sync.contacts.tombstones import HashKey, HashKeys

HASH_KEYS = HashKeys(HashKey("canary-hash-key-0123456789abcdef-0123"))
AS_CONNECTION = json.dumps({"conn_type": "generic", "password": HASH_KEYS.current.secret})
