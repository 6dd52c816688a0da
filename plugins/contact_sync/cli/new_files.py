"""Files of a new sync: all of them or none, and never over one that is there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config.files import read_definitions


def refuse_existing(name: str) -> None:
    """Raise ConfigError that names what is there already."""
    syncs = INCLUDE / "syncs"
    paths = [INCLUDE / "sql" / name, syncs / f"{name}.yaml", syncs / f"{name}.yml"]
    there = [_shown(path) for path in paths if path.exists()]
    if name in read_definitions(syncs).by_name and len(there) < 2:
        there = there or [f"a definition of the sync {name!r}"]
    if there:
        raise ConfigError(
            f"There is {' and '.join(there)}, which isn't overwritten: choose another name, or "
            f"move it away"
        )


def write_files(name: str, statements: dict[str, str], definition: str) -> list[str]:
    """Write the statements and the definition; returns what was written. Raises ConfigError when
    that isn't possible; then there is nothing of them."""
    folder, path = INCLUDE / "sql" / name, INCLUDE / "syncs" / f"{name}.yaml"
    making = folder.with_name(f".{name}.{os.getpid()}.new")
    text = path.with_name(f".{name}.{os.getpid()}.new")
    try:
        making.mkdir()
        for file, statement in statements.items():
            (making / file).write_text(statement, encoding="utf-8")
        text.write_text(definition, encoding="utf-8")
        # Neither takes the place of what came there meanwhile: mkdir and link refuse a taken name.
        folder.mkdir()
        try:
            making.rename(folder)
            path.hardlink_to(text)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"include/sql/{name}/ and include/syncs/{name}.yaml can't be written: "
            f"{error.strerror}. Nothing was written"
        ) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
        text.unlink(missing_ok=True)
    return [*(_shown(folder / file) for file in statements), _shown(path)]


def _shown(path: Path) -> str:
    return str(path.relative_to(INCLUDE.parent))
