"""Read sync definitions from `include/syncs/`. The only reader of that folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition

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
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".yaml", ".yml") or path.name.startswith("."):
            continue
        try:
            definition = _read(path)
        except ConfigError as error:
            found.broken[path.name] = str(error)
            continue
        if definition.name in found.by_name:
            found.broken[path.name] = (
                f"{path.name}: name: {definition.name!r} is taken by another file; names are unique"
            )
            continue
        found.by_name[definition.name] = definition
        found.paths[definition.name] = path
        if said := _oversights(definition, path):
            found.warnings[definition.name] = said
    return found


def _read(path: Path) -> SyncDefinition:
    """The definition in a file. Raises ConfigError, whatever is wrong with it."""
    try:
        return parse_definition(path.read_text(encoding="utf-8"), path.name)
    except ConfigError:
        raise
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: the file can't be read: it is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path.name}: the file can't be read: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 a file that we didn't think of stops its own sync only
        raise ConfigError(
            f"{path.name}: the file can't be understood ({type(error).__name__}); compare it with "
            f"include/syncs/template.yaml.example"
        ) from None


def _oversights(definition: SyncDefinition, path: Path) -> list[str]:
    """What works, but was hardly meant."""
    said = []
    if definition.name != path.stem:
        said.append(
            f"{path.name}: name: the sync is called {definition.name!r}, not as its file; the DAG "
            f"is {definition.dag_id}"
        )
    if definition.name == TEMPLATE_NAME or definition.caption == TEMPLATE_CAPTION:
        said.append(f"{path.name}: name and caption are still the template's: give it its own")
    return said


def read_definition(name: str, folder: Path | None = None) -> SyncDefinition:
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


def source_folders() -> list[str]:
    """What `source.sql` may name: the folders of `include/sql/` that have a clients.sql."""
    return sorted(path.parent.name for path in (INCLUDE / "sql").glob("*/clients.sql"))
