"""A run of the command line as a holder of leases: its host and process."""

from __future__ import annotations

import os
import re
import socket

_HOLDER = re.compile(r"command line (.+):(\d+)")


def own_holder() -> str:
    """How this process is named."""
    return f"command line {socket.gethostname()}:{os.getpid()}"


def has_died(holder: str) -> bool:
    """Whether the holder is a process of this host that isn't there any more, as after kill -9.

    False where that can't be known: another host, Airflow, an id that another process has by now.
    Where two containers share a host's name it may be wrong; the older run is fenced off then.
    """
    found = _HOLDER.fullmatch(holder)
    if found is None or found[1] != socket.gethostname():
        return False
    try:
        os.kill(int(found[2]), 0)  # signal 0 only looks
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
