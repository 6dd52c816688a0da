"""The SELECTs of a statement that is nothing but several of them, joined by UNION ALL."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")+"|\$(\w*)\$.*?\$\1\$|[()]|\w+|.""",
    re.DOTALL,
)
_OF_THE_WHOLE = {
    "with", "order", "limit", "offset", "fetch", "intersect", "except", "for", "values",
}  # fmt: skip
"""Outside of parentheses these belong to more than one SELECT, or may."""


def selects_of(text: str) -> list[str]:
    """Each SELECT by itself; the whole text as the only one if it isn't as simple as that.

    The rows of all of them together are those of the text.
    """
    depth, start = 0, 0
    selects: list[str] = []
    words: list[tuple[str, int, int]] = []
    for token in _TOKEN.finditer(text):
        said = token[0].lower()
        depth += (said == "(") - (said == ")")
        if depth == 0 and said.isidentifier():
            words.append((said, token.start(), token.end()))
    for n, (word, begins, _) in enumerate(words):
        if word in _OF_THE_WHOLE:
            return [text]
        if word == "union":
            if n + 1 == len(words) or words[n + 1][0] != "all":
                return [text]
            selects.append(text[start:begins])
            start = words[n + 1][2]
    return [*selects, text[start:]]
