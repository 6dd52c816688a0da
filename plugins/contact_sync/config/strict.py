"""What all parts of a sync definition share."""

from __future__ import annotations

from typing import Annotated
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,250}$")]


def shown(text: str) -> str:
    """The text, if it can be seen and stored; raises ValueError.

    PostgreSQL stores no NUL, so Airflow could store none of the DAGs of the file.
    """
    if not text.strip():
        raise ValueError("is empty")
    for character in text:
        if category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise ValueError(f"holds U+{ord(character):04X}, which no one can see; delete it")
    return text


Shown = Annotated[str, AfterValidator(shown)]


class Strict(BaseModel):
    """A part of a definition: an unknown key is a mistake, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
