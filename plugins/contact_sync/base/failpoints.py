"""Named places where a test can stop the process, to prove that a crash there is harmless.

`test_crash.py` finds every `reach("…")` in the package, kills a real process at each, and then runs
clean. Without the variable a call costs one look into the environment.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "CONTACT_SYNC_KILL_AT"
SIGNAL_VARIABLE = "CONTACT_SYNC_SIGNAL"
"""KILL (the default: a crash), TERM (a stop from outside) or STOP (a zombie until SIGCONT)."""


def reach(name: str) -> None:
    """Die here, as by `kill -9`, or get the other signal that the test asked for."""
    if os.environ.get(VARIABLE) == name:
        wanted = os.environ.get(SIGNAL_VARIABLE, "KILL")
        os.kill(os.getpid(), getattr(signal, f"SIG{wanted}"))
