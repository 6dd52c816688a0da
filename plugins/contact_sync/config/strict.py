"""What all parts of a sync definition share."""

from __future__ import annotations

from typing import Annotated
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,250}$")]

_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""What turns the text that follows around (Unicode's bidirectional embeddings and isolates)."""


def shown(text: str) -> str:
    """The text, if it can be seen and stored; raises ValueError.

    PostgreSQL stores no NUL, so Airflow could store none of the DAGs of the file.
    """
    if all(category(character)[0] in "CZ" for character in text):
        raise ValueError("is empty")
    for character in text:
        if category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _DIRECTIONS:
            raise ValueError(f"holds U+{ord(character):04X}, which no one can see; delete it")
    return text


Shown = Annotated[str, AfterValidator(shown)]


class Strict(BaseModel):
    """A part of a definition: an unknown key is a mistake, and nothing changes afterwards. What
    reads it is built when a definition is read: once, not for each part by itself, too."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
