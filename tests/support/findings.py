"""Findings as a verification writes them, for tests of what a repair makes of them."""

from __future__ import annotations

from tests.support.hash_keys import HASHING
from tests.support.world import World


def verified(
    world: World, *found: tuple[str, int | None, str], fields: list[str] | None = None
) -> int:
    """A verification that came to its end and found `found`: verdict, client and address each,
    and in all of them the same `fields`. Returns its number."""
    ((number,),) = world.state(
        """INSERT INTO contact_sync.verification (
               sync_id, state, holder, definition_hash, destination, finished_at
           )
           SELECT sync_id, 'succeeded', 'test', '', coalesce(destination, '{}'), now()
           FROM contact_sync.sync WHERE name = %s
           RETURNING verification_id""",
        world.definition.name,
    )
    for place, (verdict, client, email) in enumerate(found, start=1):
        world.state(
            """INSERT INTO contact_sync.finding
                   (verification_id, finding_no, verdict, client_id, email, email_hash, fields)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            number, place, verdict, client, email, HASHING.text(email), fields or [],
        )  # fmt: skip
    return int(number)
