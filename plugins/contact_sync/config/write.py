"""A definition's keys become YAML: a new file, or the present one where it has to change. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from contact_sync.config.parse import read_yaml

HEAD = "# yaml-language-server: $schema=sync.schema.json\n"
WIDTH = 110
_SHARED = (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)


def definition_text(data: dict[str, Any]) -> str:
    """A new file with these keys, in their order."""
    return HEAD + _dumped(data)


def changed_text(text: str, data: dict[str, Any]) -> str:
    """The present file `text` with the keys of `data` instead of its own.

    What stays the same keeps its lines, with its comments and its order. A file that is written in
    a way which can't be changed line by line, as with anchors, becomes a new one.
    """
    if any(isinstance(token, _SHARED) or getattr(token, "value", "") == "<<"
           for token in yaml.scan(text)):  # fmt: skip
        return definition_text(data)
    lines = text.splitlines()
    node = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return definition_text(data)
    edits: dict[int, tuple[int, list[str]]] = {}
    _edit(node, read_yaml(text, "present"), data, lines, edits)
    changed: list[str] = []
    at = 0
    while at < len(lines):
        end, instead = edits.get(at, (at + 1, [lines[at]]))
        changed += instead
        at = end
    result = "\n".join(changed) + "\n"
    return result if read_yaml(result, "changed") == data else definition_text(data)


def _dumped(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=WIDTH)


def _edit(
    node: yaml.MappingNode,
    present: dict[str, Any],
    wanted: dict[str, Any],
    lines: list[str],
    edits: dict[int, tuple[int, list[str]]],
) -> None:
    """Note for a mapping in block style which lines become others: first line → the line after the
    last, and what comes there."""
    indent = node.start_mark.column
    after = _last_line(node)
    for (key, value), name in zip(node.value, present, strict=True):
        first, last = key.start_mark.line, _last_line(value)
        if name not in wanted:
            edits[first] = (last + 1, [])
        elif wanted[name] == present[name]:
            continue
        elif _is_block(value) and isinstance(wanted[name], dict) and wanted[name]:
            _edit(value, present[name], wanted[name], lines, edits)
        else:
            instead = _entry({name: wanted[name]}, indent)
            if first == last and len(instead) == 1:
                instead[0] += _comment(lines[last], value.end_mark.column)
            edits[first] = (last + 1, instead)
    more = {name: value for name, value in wanted.items() if name not in present}
    if more:
        _append(after, _entry(more, indent), lines, edits)


def _append(
    line: int, entry: list[str], lines: list[str], edits: dict[int, tuple[int, list[str]]]
) -> None:
    """Put lines after `line`, or after what takes its place."""
    for first, (end, instead) in edits.items():
        if first <= line < end:
            edits[first] = (end, [*instead, *entry])
            return
    edits[line] = (line + 1, [lines[line], *entry])


def _entry(data: dict[str, Any], indent: int) -> list[str]:
    return [" " * indent + line for line in _dumped(data).splitlines()]


def _comment(line: str, column: int) -> str:
    rest = line[column:]
    return rest.rstrip() if rest.lstrip().startswith("#") else ""


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style


def _last_line(node: yaml.Node) -> int:
    """The last line of a node; what YAML counts to a block's end may be the comments after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        parts = [part for pair in node.value for part in pair] if _is_block(node) else node.value
        return max(_last_line(part) for part in parts)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return int(node.end_mark.line) - 1
    return int(node.end_mark.line)
