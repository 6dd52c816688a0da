"""One YAML document becomes a definition, or an error that names every wrong key and its fix."""

from __future__ import annotations

from functools import lru_cache
from textwrap import indent
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from contact_sync.base.errors import ConfigError
from contact_sync.base.near_misses import meant
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.tuning import Tuning

MOST_TOLD = 50
TEMPLATE = "include/syncs/template.yaml.example"
_BLOCK = "holds keys, indented on lines of their own below it; delete the line if there are none"
_IN_WORDS = {
    "missing": "is missing; add it",
    "model_type": _BLOCK,
    "dict_type": _BLOCK,
    "string_type": "must be a text: write it in quotes",
    "too_long": "has more than {max_length} characters or entries",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
"""What pydantic says in Python's words."""


class _Loader(yaml.SafeLoader):
    """YAML's plain types; a key that is there twice is a mistake, not "the last one wins"."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node whose keys are all different."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    problem="a key is a list or a mapping", problem_mark=key.start_mark
                )
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# Each page and each run's end reads all files again; to read YAML takes 10 ms a file.
@lru_cache(maxsize=512)
def parse_definition(text: str, file: str) -> SyncDefinition:
    """Parse one YAML document; `file` names it in errors. The same text gives the same definition,
    which nobody changes.

    Raises ConfigError that says of every wrong key: file, key, what is wrong and how to fix it.
    """
    return validated(read_yaml(text, file), file)


def read_yaml(text: str, file: str) -> dict[str, Any]:
    """The keys of one YAML document as they are written. Raises ConfigError."""
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{file}:{where} is not YAML: {getattr(error, 'problem', 'unreadable')}"
        ) from None
    except (ValueError, RecursionError) as error:
        why = error if isinstance(error, ValueError) else "it is nested too deeply"
        raise ConfigError(f"{file}: a value can't be read ({why}): correct it") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: the file must hold keys such as name, caption and fields")
    return data


def validated(data: dict[str, Any], file: str) -> SyncDefinition:
    """The definition that these keys are. Raises ConfigError as `parse_definition` does."""
    try:
        return SyncDefinition.model_validate(data)
    except ValidationError as error:
        moved = [key for key in data if key in Tuning.model_fields]
        lines = [f"{file}: {_moved(moved, data)}"] if moved else []
        elsewhere = {(key,) for key in moved}
        found = [p for p in error.errors(include_input=False) if p["loc"] not in elsewhere]
        lines += [_problem(file, problem) for problem in found[:MOST_TOLD]]
        if len(found) > MOST_TOLD:
            lines.append(f"{file}: {len(found) - MOST_TOLD:,} more mistakes")
        raise ConfigError("\n".join(lines)) from None


def _moved(keys: list[str], data: dict[str, Any]) -> str:
    """What to write instead of keys that stand beside `tuning`, as they did before there was one;
    what that block says already stays."""
    given = data.get("tuning")
    block = {key: data[key] for key in keys} | (given if isinstance(given, dict) else {})
    text = yaml.safe_dump({"tuning": block}, sort_keys=False, allow_unicode=True).rstrip()
    places = ", ".join(f"tuning.{key}" for key in keys)
    return f"{', '.join(keys)}: moved to {places}; write\n{indent(text, '  ')}"


def _problem(file: str, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(file)"
    fix = problem["msg"].removeprefix("Value error, ").removesuffix(".")
    if words := _IN_WORDS.get(problem["type"]):
        fix = words.format(**problem.get("ctx", {}))
    if problem["type"] == "extra_forbidden":
        *block, last = problem["loc"]
        fix = f"unknown key; {meant(str(last), _keys_of(block))}delete it or correct its spelling"
    return f"{file}: {key[:200]}: {fix}. The keys are described in {TEMPLATE}"


def _keys_of(block: list[str | int]) -> list[str]:
    """The keys that a block of a definition may have; none for one that isn't known."""
    model: Any = SyncDefinition
    for name in block:
        field = getattr(model, "model_fields", {}).get(name)
        kinds = [] if field is None else [field.annotation, *get_args(field.annotation)]
        model = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
    return list(getattr(model, "model_fields", ()))
