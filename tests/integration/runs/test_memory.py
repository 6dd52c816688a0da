"""P: a run streams: its memory doesn't grow with the number of clients."""

from __future__ import annotations

import resource
from multiprocessing.connection import Connection

from tests.support.forks import FORKS
from tests.support.world import World

FEW, MANY = 4_000, 24_000
CONTACT_BYTES = 3_000  # three custom fields of the greatest length
LONG = (
    "UPDATE b2core.client_statuses SET name = repeat('long ', 200)",
    "UPDATE b2core.client_types SET name = repeat('long ', 200)",
    "UPDATE b2core.verification_levels SET caption = repeat('long ', 200)",
)
ADD = """
INSERT INTO b2core.clients (email, last_name)
SELECT 'c' || n || '@example.com', repeat('long ', 2000) FROM generate_series(%s::int, %s::int) AS n
"""


def grow(world: World, answer: Connection) -> None:
    """In a child process: how many megabytes more a large load takes at its peak than a small."""
    peaks = []
    for first, last in ((1, FEW), (FEW + 1, MANY)):
        world.sql(ADD, first, last)
        world.run("full")
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    answer.send(peaks[1] - peaks[0])


def test_P08_a_load_holds_a_fraction_of_its_clients_in_memory(world: World) -> None:
    """Reading, staging and rendering 72 MB of contacts from 240 MB of rows in one slice."""
    world.redefine(lane="csv")
    for statement in LONG:
        world.sql(statement)
    here, there = FORKS.Pipe()
    child = FORKS.Process(target=grow, args=(world.portable(), there))
    child.start()
    child.join(120)
    assert child.exitcode == 0
    assert here.recv() < MANY * CONTACT_BYTES / 1e6 / 2
    assert world.report()["books"]["confirmed"] == MANY
