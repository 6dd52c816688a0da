"""Named places where a test can kill the process, to prove that a crash there is harmless.

`tests/integration/test_crash.py` finds every `reach("…")` in the package, kills a real process at
each, and then runs clean. Without the variable a call costs one look into the environment.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "CONTACT_SYNC_KILL_AT"


def reach(name: str) -> None:
    """Die here, as by `kill -9`, if the test asked for it."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
