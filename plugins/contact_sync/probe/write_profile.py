"""Write an account's profile beside the definitions."""

from __future__ import annotations

import os
from pathlib import Path

from contact_sync.base.errors import ConfigError
from contact_sync.config import account_profile
from contact_sync.config.account_profile import AccountProfile


def write_profile(profile: AccountProfile) -> Path:
    """Write `CONNECTION.yaml`, as a whole or not at all; returns its path. Raises ConfigError."""
    path = account_profile.FOLDER / f"{profile.connection}.yaml"
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        account_profile.FOLDER.mkdir(parents=True, exist_ok=True)
        fresh.write_text(account_profile.profile_text(profile), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return path
