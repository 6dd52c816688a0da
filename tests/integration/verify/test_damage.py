"""V10: after verify, repair, run, the second verdict is equal, whatever the damage was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contact_sync.state.verifications import Verification
from contact_sync.verify.repair import repair
from local.oracle import differences, expected
from local.postgres.server import Cluster
from tests.support.damage import DAMAGES, FOREIGN, Damage, lose_state, people, put, remove
from tests.support.kept_mark import KeptMark
from tests.support.restores import template
from tests.support.verified import verify
from tests.support.world import World


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


@pytest.mark.parametrize("mark", [True, False], ids=["mark", "no mark"])
def test_V11_a_backup_that_was_restored_costs_no_resend(
    world: World, cluster: Cluster, tmp_path: Path, *, mark: bool
) -> None:
    """B2CORE and SendGrid have gone on meanwhile: values, a new client, a new address."""
    world = replace(world, marks=KeptMark() if mark else None)
    emails = people(world)
    with template(cluster, world.state_url, tmp_path) as restore:
        world.edit(1, first_name="Later")
        world.edit(2, email="moved@example.com")
        world.add("new@example.com")
        world.run()
        put(world, emails[2], first_name="Eve")
        world = replace(world, state_url=restore())
        first = verify(world, rebuild=True)
        assert found(first) == {"different": 1}
        report = world.run()
        assert report["kind"] == "incremental"
        assert report["counts"]["sent"] == 1
        assert wrong(world, ()) == []
        assert verify(world).is_equal
        assert world.run()["counts"]["sent"] == 0


def test_V09_a_shadow_says_by_field_where_the_account_differs(world: World) -> None:
    """Before anything is sent: what an older tool keeps there, and what the sync would hold."""
    emails = world.add_clients(4)
    world.run()
    lose_state(world)
    put(world, emails[0], first_name="Zoe")
    put(world, emails[1], first_name="Zoe", city="Elsewhere")
    remove(world, emails[2])
    world.redefine(shadow=True)
    before = world.writes()
    shadow = verify(world)
    assert found(shadow) == {"missing": 1, "different": 2}
    assert shadow.fields == {"first_name": 2, "city": 1}
    assert [call for call in world.writes() if call not in before] == []

    world.redefine(shadow=False)
    assert verify(world, rebuild=True).rebuilt == 1
    assert world.run()["counts"]["sent"] == 3
    world.assert_converged()
    assert verify(world).is_equal
