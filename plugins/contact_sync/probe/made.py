"""What a probe has made in an account, and what it has learned so far: a private file.

It is written before each creation, so that after a kill everything is known that may be there.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from contact_sync.base.errors import ConfigError

VERSION = 2
MOST_BYTES = 1_000_000


@dataclass(slots=True)
class Made:
    """What may exist because of this probe, and its answers.

    `fields`: name → id; `addresses`: label → address; `contact_ids`: by address, once seen;
    `jobs`: accepted, and not known to be over, with when that was; `uploads`: the same of imports,
    of which it isn't known whether they have a file; `sent_at`: when a write went off whose fate
    isn't known; `is_unsettled`: searches needn't show all that was sent; `answers`: code → answer
    and what was seen; `key`: the key's mark, "" = not known. An id of None: perhaps it was made.
    Times are epoch seconds.
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
    jobs: dict[str, float] = field(default_factory=dict)
    uploads: dict[str, float] = field(default_factory=dict)
    sent_at: float | None = None
    is_unsettled: bool = False
    answers: dict[str, tuple[str | int, str]] = field(default_factory=dict)
    key: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to clean up."""
        return not (self.has_list or self.fields or self.addresses or self.jobs or self.uploads)

    def save(self) -> None:
        """Replace the file as a whole; only its owner may read it. Raises ConfigError."""
        data = asdict(self) | {"version": VERSION}
        del data["path"]
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, fresh = tempfile.mkstemp(prefix=self._fresh, dir=self.path.parent)  # mode 600
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
        """Nothing is left: delete the file, and what a kill while it was written has left."""
        for path in (self.path, *self.path.parent.glob(f"{self._fresh}*")):
            path.unlink(missing_ok=True)

    @property
    def _fresh(self) -> str:
        return f".{self.path.stem}."


_MADE = TypeAdapter(Made)


def load(path: Path) -> Made | None:
    """What an earlier probe left; None = nothing. Raises ConfigError for a file that isn't one."""
    try:
        with path.open(encoding="utf-8") as file:
            data = json.loads(file.read(MOST_BYTES))
        known = data.pop("version") == VERSION
        found = _MADE.validate_python(data | {"path": path} if known else {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise unusable(path) from None
    return found


def unusable(path: Path) -> ConfigError:
    """What to do about a file that is damaged, or another connection's."""
    return ConfigError(
        f"{path}, where an earlier probe noted what it made, can't be read, or is another "
        f"version's or connection's. Look at SendGrid for a list and custom fields named "
        f"contact_sync_probe…, delete them and their contacts by hand, then delete this file"
    )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else probes with this file meanwhile. Raises ConfigError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise ConfigError(f"{path.parent} can't be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(
            "Another probe of this connection is at work: wait for its end, or stop it by Ctrl-C"
        ) from None
    finally:
        os.close(lock)


def state_path(connection: str) -> Path:
    """Where the file of a connection's probe is: below `$XDG_STATE_HOME`, as the marks of runs.

    Raises RuntimeError for a user without a home.
    """
    home = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    return folder / "contact_sync" / f"probe_{connection}.json"
