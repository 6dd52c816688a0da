"""A JSON Schema's types, limits and defaults in words, as definitions and params have them."""

from __future__ import annotations

import json
from typing import Any

from local.docs_generator.markdown import code

NAMES = {
    "string": "text",
    "boolean": "true or false",
    "number": "number",
    "integer": "whole number",
    "null": "null",
    "object": "keys",
    "array": "list",
}
LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "maxLength": "to {} characters",
    "pattern": "of the form `{}`",
    "format": "format {}",
}


def type_words(schema: dict[str, Any]) -> str:
    """What a value may be."""
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return " or ".join(code(choice) for choice in choices if choice is not None)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(each) for each in schema["anyOf"]))
    kinds = schema.get("type", "object")
    names = [NAMES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    names.sort(key=NAMES["null"].__eq__)
    limits = [words.format(schema[key]) for key, words in LIMITS.items() if key in schema]
    if schema.get("type") == "array" and "items" in schema:
        names = [f"list of {type_words(schema['items'])}"]
    return " ".join([names[0], *limits, *(f"or {name}" for name in names[1:])])


def default_words(value: Any) -> str:
    """A default as it would be written in a definition."""
    return code(value if isinstance(value, str) else json.dumps(value))
