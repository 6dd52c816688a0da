"""A backup of the state database from before the hashes got a key, or another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contact_sync.contacts.hash_keys import HashKey, HashKeys
from local.postgres.server import Cluster
from tests.support.erased import erase
from tests.support.hash_keys import HASH_KEYS
from tests.support.kept_mark import KeptMark
from tests.support.restores import LOGICAL
from tests.support.world import World

NEWER = HashKeys(HashKey("canary-hash-key-of-somebody-else-0123"), (HASH_KEYS.current,))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(None, id="no key"),
        pytest.param(HASH_KEYS, id="another key", marks=pytest.mark.slow),
    ],
)
def test_E17_a_backup_from_before_a_key_is_repaired_and_gets_the_key(
    world: World, cluster: Cluster, tmp_path: Path, before: HashKeys | None
) -> None:
    """Who moved, changed or came since is right at once; the second run sends nothing;
    and who had been erased before stays away."""
    world = replace(world, marks=KeptMark(), hash_keys=before or HASH_KEYS)
    ann = world.add("ann@example.com", first_name="Ann", phone="+41790000001")
    ben = world.add("ben@example.com")
    world.add("cas@example.com")
    world.add("gone@example.com")
    world.hash_keys = before
    world.run()
    world.hash_keys = before or HASH_KEYS
    erase(world, email="gone@example.com")
    world.hash_keys = before
    with LOGICAL["pg_restore --clean"](cluster, world.state_url, tmp_path) as restore:
        world.hash_keys = NEWER
        world.edit(ann, first_name="Other")
        world.run()
        world.edit(ben, email="ben2@example.com")
        world.add("new@example.com")
        world.run()
        world = replace(world, state_url=restore())
        world.edit(ann, first_name="Ann", last_name="A.")
        world.add("GONE@example.com")
        world.run()
        calls = len(world.writes())
        world.run("full")
        assert len(world.writes()) == calls
        found = {email: contact["last_name"] for email, contact in world.contacts().items()}
    others = ("ben2@example.com", "cas@example.com", "new@example.com")
    assert found == {"ann@example.com": "A.", **dict.fromkeys(others, "Lee")}
