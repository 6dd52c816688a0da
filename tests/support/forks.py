"""Child processes that are there at once: a server has imported everything and forks.

It has one list of what it imports, for all tests: whoever sets another one, sets it for everybody.
"""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["contact_sync.run.stage_clients", "tests.support.killed", "tests.stateful.child"]
)
