"""What a probe has made in an account, and what it has learned so far: a private file.

It is written before each creation, so that after a kill everything is known that may be there.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from contact_sync.base.errors import ConfigError

VERSION = 1
MOST_BYTES = 1_000_000


@dataclass(slots=True)
class Made:
    """What may exist because of this probe, and its answers.

    `fields`: name → id; `addresses`: label → address; `contact_ids`: by address, once seen;
    `jobs`: accepted, and not known to be over; `sent_at`: when a write went off whose job isn't
    known, in epoch seconds; `answers`: code → answer and what was seen. An id of None: perhaps it
    was made.
    """

    path: Path
    connection: str
    token: str
    pattern: str
    list_name: str
    started_at: float
    list_id: str | None = None
    has_list: bool = False
    fields: dict[str, str | None] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    contact_ids: dict[str, str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    sent_at: float | None = None
    answers: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to clean up."""
        return not (self.has_list or self.fields or self.addresses or self.jobs)

    def save(self) -> None:
        """Replace the file as a whole; only its owner may read it. Raises ConfigError."""
        data = asdict(self) | {"version": VERSION}
        del data["path"]
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, fresh = tempfile.mkstemp(prefix=".probe.", dir=self.path.parent)  # mode 600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(data, file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(fresh).replace(self.path)
            except BaseException:
                Path(fresh).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ConfigError(
                f"{self.path}, where the probe notes what it makes, can't be written: "
                f"{error.strerror}. Nothing was made after that"
            ) from None

    def forget(self) -> None:
        """Nothing is left: delete the file."""
        self.path.unlink(missing_ok=True)


def load(path: Path) -> Made | None:
    """What an earlier probe left; None = nothing. Raises ConfigError for a file that isn't one."""
    try:
        with path.open(encoding="utf-8") as file:
            data = json.loads(file.read(MOST_BYTES))
        known = data.pop("version") == VERSION
        return Made(path=path, **(data if known else {}))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(
            f"{path}, where an earlier probe noted what it made, can't be read. Look at SendGrid "
            f"for a list and custom fields named contact_sync_probe…, delete them and their "
            f"contacts by hand, then delete this file"
        ) from None


def state_path(connection: str) -> Path:
    """Where the file of a connection's probe is: below `$XDG_STATE_HOME`, as the marks of runs.

    Raises RuntimeError for a user without a home.
    """
    home = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    return folder / "contact_sync" / f"probe_{connection}.json"
