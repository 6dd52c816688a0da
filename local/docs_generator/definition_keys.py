"""The keys of a sync definition, from its JSON Schema."""

from __future__ import annotations

from typing import Any

from local.docs_generator.markdown import code
from local.docs_generator.schema_words import default_words, type_words

Row = tuple[str, str, str, str]
NAMED = "NAME"  # stands for a key that the definition's author chooses


def key_rows(schema: dict[str, Any]) -> list[Row]:
    """Key, value, default and meaning of every key, nested ones as `outer.inner`."""
    return _rows(schema, schema["$defs"], "", {})


def _rows(
    schema: dict[str, Any], definitions: dict[str, Any], prefix: str, defaults: dict[str, Any]
) -> list[Row]:
    rows: list[Row] = []
    for name, found in schema["properties"].items():
        part = _resolved(found, definitions)
        default = defaults.get(name, part.get("default"))
        key = f"{prefix}{name}"
        inner, more = _inner(part, definitions)
        if inner is None:
            needed = name in schema.get("required", [])
            told = "needed" if needed else default_words(default)
            rows.append((code(key), type_words(part), told, _meaning(part, key)))
        else:
            rows.append((code(key + more), _outer(part, more), "", _meaning(part, key)))
            given = default if isinstance(default, dict) and not more else {}
            rows += _rows(inner, definitions, f"{key}{more}.", given)
    return rows


def _resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The part with what it refers to; what it says itself goes before that."""
    if "$ref" in part:
        found: dict[str, Any] = definitions[part["$ref"].rsplit("/", 1)[1]]
        return found | part
    if "anyOf" in part:
        return part | {"anyOf": [_resolved(each, definitions) for each in part["anyOf"]]}
    return part


def _inner(part: dict[str, Any], definitions: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The schema of the keys below this one, and how a key between the two is written."""
    if "properties" in part:
        return part, ""
    if isinstance(values := part.get("additionalProperties"), dict):
        value = _resolved(values, definitions)
        for each in value.get("anyOf", [value]):
            if "properties" in each:
                return each, f".{NAMED}"
        return None, ""
    for each in part.get("anyOf", []):
        if "properties" in each:
            return each, ""
    return None, ""


def _outer(part: dict[str, Any], more: str) -> str:
    if not more:
        return "null or the keys below" if "anyOf" in part else "the keys below"
    values = part["additionalProperties"].get("anyOf", [])
    plain = [type_words(each) for each in values if "$ref" not in each]
    return " or ".join([*plain, "the keys below"])


def _meaning(part: dict[str, Any], key: str) -> str:
    if "description" not in part:
        raise ValueError(
            f"The key {key} has no description: add one in contact_sync/config/definition.py"
        )
    return str(part["description"])
