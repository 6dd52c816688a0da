"""Which SendGrid fields a sync fills, and from which columns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from contact_sync.config.strict import Shown, Strict

REQUIRED_FIELDS = {"email": "email", "first_name": "first_name", "last_name": "last_name"}
"""SendGrid field → column; always mapped, as in B2CORE's own connection."""

MAX_MAPPED_FIELDS = 60
"""A filled mask is a signed 64-bit integer: one bit per field that a sync ever mapped."""

Column = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class FieldMapping(Strict):
    """Where one SendGrid field's value comes from, and what happens to values that don't fit."""

    column: Column = Field(description="A column of the source contract (clients.sql).")
    on_bad_value: Literal["drop", "reject"] = Field(
        "drop",
        description="drop: send the client without this value and count it, also if SendGrid "
        "refuses it; reject: the client isn't sent.",
    )
    on_too_long: Literal["cut", "reject"] = Field(
        "cut", description="cut at SendGrid's limit between graphemes and count it, or reject."
    )


def _expanded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    fields = {}
    for name, target in {**REQUIRED_FIELDS, **value}.items():
        if target is None:
            hint = " It can't be unmapped." if name in REQUIRED_FIELDS else " Delete the line."
            raise ValueError(f"field {name!r} has no column.{hint}")
        fields[name] = {"column": target} if isinstance(target, str) else target
    return fields


def _fitting(value: dict[str, FieldMapping]) -> dict[str, FieldMapping]:
    if len(value) > MAX_MAPPED_FIELDS:
        raise ValueError(
            f"{len(value)} fields are mapped; {MAX_MAPPED_FIELDS} are possible in one sync: map "
            f"the others in a second definition, or gather several columns in one field"
        )
    lowered = [name.lower() for name in value]
    doubled = sorted({name for name in lowered if lowered.count(name) > 1})
    if doubled:
        raise ValueError(f"SendGrid compares field names without case; twice: {doubled}")
    return value


Fields = Annotated[dict[Shown, FieldMapping], BeforeValidator(_expanded), AfterValidator(_fitting)]
"""SendGrid field → column, the required ones included; names differ also without case."""
