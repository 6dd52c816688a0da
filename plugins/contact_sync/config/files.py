"""Read sync definitions from `include/syncs/`. The only reader of that folder."""

from __future__ import annotations

import stat
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config.account_profile import read_profile
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition

MOST_BYTES = 200_000
"""Of one file; the template has 13,000."""
TEMPLATE_NAME, TEMPLATE_CAPTION = "template", "My brokerage"  # template.yaml.example


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a folder: the good ones by name, one message per broken file, what looks
    like an oversight in a file that can be used, and the good ones' files by name."""

    by_name: dict[str, SyncDefinition] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)


def read_definitions(folder: Path | None = None) -> Definitions:
    """Read every `*.yaml` and `*.yml` of the folder, `include/syncs/` by default; a broken file
    doesn't hide the good ones.

    Files whose names begin with a dot are left alone: editors and macOS leave such ones behind.
    Raises ConfigError when the folder itself is missing.
    """
    folder = folder or INCLUDE / "syncs"
    if not folder.is_dir():
        raise ConfigError(f"The folder {folder.name}/ with the sync definitions does not exist")
    found = Definitions()
    read: defaultdict[str, dict[Path, SyncDefinition]] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".yaml", ".yml") or path.name.startswith("."):
            continue
        try:
            definition = _read(path)
        except ConfigError as error:
            found.broken[_shown(path)] = str(error)
            continue
        read[definition.name][path] = definition
    for files in read.values():
        _take(files, found)
    return found


def _take(files: dict[Path, SyncDefinition], found: Definitions) -> None:
    """Use one of the files of a sync at most, and report the others."""
    name = next(iter(files.values())).name
    used = _the_one(name, list(files))
    for path in files:
        if path != used:
            found.broken[_shown(path)] = _doubled(name, path, list(files), used)
    if used is not None:
        found.by_name[name], found.paths[name] = files[used], used
        if said := _oversights(files[used], used):
            found.warnings[name] = said


def _the_one(name: str, files: list[Path]) -> Path | None:
    """Which of these files is used, although all are of this sync: the one that is called as it.
    None if that doesn't tell: which one is meant decides what is sent, and to which list."""
    if len(files) == 1:
        return files[0]
    own = [path for path in files if path.stem == name]
    return own[0] if len(own) == 1 else None


def _doubled(name: str, path: Path, files: list[Path], used: Path | None) -> str:
    others = ", ".join(_shown(other) for other in files if other != path)
    said = f"{_shown(path)}: name: {name!r} is taken by another file, {others}; names are unique"
    if used is None:
        said += ", and none of them is used: delete the others, or name them otherwise"
    return said


def _read(path: Path) -> SyncDefinition:
    """The definition in a file. Raises ConfigError, whatever is wrong with it."""
    name = _shown(path)
    try:
        return parse_definition(_text(path), name)
    except ConfigError:
        raise
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: the file can't be read: it is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{name}: the file can't be read: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 a file that we didn't think of stops its own sync only
        raise ConfigError(
            f"{name}: the file can't be understood ({type(error).__name__}); compare it with "
            f"include/syncs/template.yaml.example"
        ) from None


def _text(path: Path) -> str:
    """The file's text. Raises ConfigError for what would keep Airflow's reader of DAG files busy
    for so long that it gives up: then no sync has a DAG."""
    kind = path.stat()
    if not stat.S_ISREG(kind.st_mode) and not stat.S_ISDIR(kind.st_mode):
        raise ConfigError(f"{_shown(path)}: the file can't be read: it is a pipe or a device")
    if kind.st_size > MOST_BYTES:
        raise ConfigError(
            f"{_shown(path)}: the file has {kind.st_size:,} bytes; a definition has at most "
            f"{MOST_BYTES:,}"
        )
    return path.read_text(encoding="utf-8")


def _shown(path: Path) -> str:
    """Its name as it can be shown and stored, whatever bytes it has."""
    return path.name if path.name.isprintable() else repr(path.name)[1:-1]


def _oversights(definition: SyncDefinition, path: Path) -> list[str]:
    """What works, but was hardly meant; and a profile of the account that no run could read."""
    said = []
    if definition.account is not None:
        try:
            read_profile(definition.account)
        except ConfigError as error:
            said.append(f"{_shown(path)}: account: {error}")
    if definition.name != path.stem:
        said.append(
            f"{_shown(path)}: name: the sync is called {definition.name!r}, not as its file; the "
            f"DAG is {definition.dag_id}"
        )
    if definition.name == TEMPLATE_NAME or definition.caption == TEMPLATE_CAPTION:
        said.append(f"{_shown(path)}: name and caption are still the template's: give it its own")
    return said


def read_definition(name: str, folder: Path | None = None) -> SyncDefinition:
    """The definition called `name`. Raises ConfigError naming what exists instead."""
    found = read_definitions(folder)
    if name in found.by_name:
        return found.by_name[name]
    broken = "".join(f"\n{message}" for message in found.broken.values())
    raise ConfigError(
        f"There is no sync {name!r}; include/syncs/ defines "
        f"{', '.join(sorted(found.by_name)) or 'none'}{broken}"
    )


def source_folder(definition: SyncDefinition) -> Path:
    """The folder of the definition's SQL. Raises ConfigError when there is none."""
    folder = INCLUDE / "sql" / definition.source.sql
    where = f"{definition.name}: source.sql: include/sql/{definition.source.sql}/"
    if not folder.is_dir():
        raise ConfigError(f"{where} does not exist")
    if not (folder / "clients.sql").exists():
        raise ConfigError(
            f"{where} has no clients.sql; those that have one: {', '.join(source_folders())}"
        )
    return folder


def source_folders() -> list[str]:
    """What `source.sql` may name: the folders of `include/sql/` that have a clients.sql."""
    return sorted(path.parent.name for path in (INCLUDE / "sql").glob("*/clients.sql"))
