"""V10: after verify, repair, run, the second verdict is equal, whatever the damage was."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.state.verifications import Verification
from contact_sync.verify.in_one_process import verify_sync
from contact_sync.verify.repair import repair
from local.oracle import differences, expected
from tests.support.damage import DAMAGES, FOREIGN, Damage, people
from tests.support.world import World


def verify(world: World, *, rebuild: bool = False) -> Verification:
    """Compare."""
    with world.sync() as sync:
        return verify_sync(sync, holder="test", rebuild=rebuild)


def found(verification: Verification) -> dict[str, int]:
    """The numbers of what isn't equal, without what is nobody's."""
    wrong = ("missing", "different", "off_list", "excluded_on_list", "deleted_on_list",
             "former_on_list", "ghost", "not_comparable")  # fmt: skip
    return {code: n for code in wrong if (n := verification.counts.get(code, 0))}


def foreign(world: World) -> dict[str, dict[str, Any]]:
    """The contacts that are nobody's, as they are."""
    return {email: c for email, c in world.contacts().items() if email.endswith(FOREIGN)}


def wrong(world: World, unlisted: tuple[str, ...]) -> list[str]:
    """What the oracle finds, of all contacts that aren't foreign."""
    own = {email: c for email, c in world.contacts().items() if not email.endswith(FOREIGN)}
    wanted = expected(world.b2core_url)
    return differences(own, wanted, list_id=world.list_id, unlisted=unlisted)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_V10_every_damage_is_found_and_repaired(world: World, damage: Damage) -> None:
    """By contact; an ordinary run repairs it, and touches nothing foreign."""
    people(world)
    assert verify(world).is_equal
    untouched = foreign(world)
    damage.do(world)
    if damage.run_first:
        world.run()
    first = verify(world, rebuild=damage.rebuild)
    assert found(first) == damage.verdicts
    with world.sync() as sync:
        repair(sync)
    report = world.run()
    assert report["counts"]["sent"] <= sum(damage.verdicts.values())
    assert wrong(world, damage.unlisted) == []
    second = verify(world)
    assert second.is_equal, second.counts
    assert second.sendgrid_digest == second.b2core_digest
    assert {e: c | {"list_ids": []} for e, c in foreign(world).items()} == {
        e: c | {"list_ids": []} for e, c in untouched.items()
    }
