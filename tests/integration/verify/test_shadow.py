"""V09: a shadow looks, and changes nothing at SendGrid."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import SyncDisabled
from tests.support.world import World


def test_V09_a_shadow_plans_and_never_sends(world: World) -> None:
    """A dry run says what would be sent, a real one is refused; the definition alone decides."""
    world.seed()
    world.redefine(shadow=True)
    with pytest.raises(SyncDisabled, match="is a shadow and sends nothing"):
        world.run()
    assert world.run(dry_run=True)["counts"]["to_send"] == 4
    assert world.writes() == []
    world.redefine(shadow=False)
    world.run()
    world.assert_converged()
