"""An account's contacts, lists, fields and suppressions in a file, from one start to the next.

Jobs, uploads and exports aren't kept: whoever asks for one afterwards is told that there is none.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from local.sendgrid_emulator.model.account import Account

PARTS = ("fields", "contacts", "lists", "suppressions", "erased")


def keep(account: Account, path: Path) -> None:
    """Write the account, complete or not at all; nobody else may read or replace the file."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        pickle.dump({name: getattr(account, name) for name in PARTS}, file)
    part.replace(path)


def restore(account: Account, path: Path) -> None:
    """Give an empty account what the file holds, if there is one."""
    if path.exists():
        for name, value in pickle.loads(path.read_bytes()).items():
            setattr(account, name, value)
