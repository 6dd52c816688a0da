"""Read sync definitions from `include/syncs/*.yaml`. The only reader of that folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a folder: the good ones by name, and one message per broken file."""

    by_name: dict[str, SyncDefinition] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def read_definitions(folder: Path = INCLUDE / "syncs") -> Definitions:
    """Read every `*.yaml` of the folder; a broken file doesn't hide the good ones.

    Raises ConfigError when the folder itself is missing.
    """
    if not folder.is_dir():
        raise ConfigError(f"The folder {folder.name}/ with the sync definitions does not exist")
    found = Definitions()
    for path in sorted(folder.glob("*.yaml")):
        try:
            definition = parse_definition(path.read_text(encoding="utf-8"), path.name)
        except ConfigError as error:
            found.broken[path.name] = str(error)
            continue
        except (UnicodeDecodeError, OSError) as error:
            why = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
            found.broken[path.name] = f"{path.name}: the file can't be read: {why}"
            continue
        if definition.name in found.by_name:
            found.broken[path.name] = (
                f"{path.name}: name: {definition.name!r} is taken by another file; names are unique"
            )
            continue
        found.by_name[definition.name] = definition
    return found


def read_definition(name: str, folder: Path = INCLUDE / "syncs") -> SyncDefinition:
    """The definition called `name`. Raises ConfigError naming what exists instead."""
    found = read_definitions(folder)
    if name in found.by_name:
        return found.by_name[name]
    broken = "".join(f"\n{message}" for message in found.broken.values())
    raise ConfigError(
        f"There is no sync {name!r}; include/syncs/ defines {sorted(found.by_name)}{broken}"
    )


def source_folder(definition: SyncDefinition) -> Path:
    """The folder of the definition's SQL. Raises ConfigError when it doesn't exist."""
    folder = INCLUDE / "sql" / definition.source.sql
    if not folder.is_dir():
        raise ConfigError(
            f"{definition.name}: source.sql: include/sql/{definition.source.sql}/ does not exist"
        )
    return folder
