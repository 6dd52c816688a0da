"""PostgreSQL's types as the reader gives them: which field a column fits, and what to write in
clients.sql for one that fits none. Pure.

The reader keeps a type's name in the metadata of the column (ADBC 1.13). Arrow's own type isn't
enough: `money` comes as a whole number of cents, `numeric` as a text of a type of its own.
"""

from __future__ import annotations

import pyarrow as pa

from contact_sync.base.vocabulary import FieldType, SendGridField

_NAME = b"POSTGRESQL:type"
_PLAIN_NAMES = {
    "string": "text", "int16": "smallint", "int32": "integer", "int64": "bigint", "float": "float4",
    "double": "float8", "date32[day]": "date", "timestamp[us]": "timestamp",
    "timestamp[us, tz=UTC]": "timestamptz", "binary": "bytea", "int8": "bigint", "int4": "integer",
    "int2": "smallint", "bool": "boolean", "bpchar": "char(n)",
}  # fmt: skip
_NOT_WHAT_ARROW_SAYS = ("money", "oid")
"""They come as integers: cents, and unsigned numbers that are negative above 2^31."""
_CASTS = {
    "money": "{0}::numeric",
    "bytea": "convert_from({0}, 'UTF8')",
    "json": "{0} #>> '{{}}'",
    "jsonb": "{0} #>> '{{}}'",
}
_NUMBERS = {"boolean": "{0}::integer", "oid": "{0}::bigint", "bit": "{0}::bigint",
            "json": "({0} #>> '{{}}')::numeric", "jsonb": "({0} #>> '{{}}')::numeric",
            "money": "{0}::numeric"}  # fmt: skip
_DATES = {"json": "({0} #>> '{{}}')::date", "jsonb": "({0} #>> '{{}}')::date"}
_SECONDS = ("interval", "date", "timestamp", "timestamptz", "time", "timetz")


def name_of(column: pa.Field) -> str:
    """The column's type as PostgreSQL calls it."""
    name = (column.metadata or {}).get(_NAME, b"").decode() or str(column.type)
    if name.startswith("_"):
        return f"{_PLAIN_NAMES.get(name[1:], name[1:])}[]"
    if name.startswith("unnamed<oid:"):  # the reader knows no name of ranges and some others
        return f"the type with the oid {name.removeprefix('unnamed<oid:').rstrip('>')}"
    return _PLAIN_NAMES.get(name, name)


def fits(field: SendGridField, column: pa.Field) -> bool:
    """Whether a column's values can be written into a field as they are."""
    kind = column.type
    text = bool(pa.types.is_string(kind))
    if name_of(column) in _NOT_WHAT_ARROW_SAYS:
        return False
    if field.name in ("email", "phone_number") and not field.custom:
        return text
    if field.type is FieldType.DATE:
        return text or _is_moment(kind)
    if field.type is FieldType.NUMBER:
        return text or _is_number(kind)
    scalar = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_date)
    return text or any(test(kind) for test in scalar)


def field_type(column: pa.Field) -> FieldType | None:
    """The type of a field that is created for a column; None = none, it has to be cast first."""
    kind = column.type
    if name_of(column) in _NOT_WHAT_ARROW_SAYS:
        return None
    if _is_moment(kind):
        return FieldType.DATE
    if _is_number(kind):
        return FieldType.NUMBER
    text = pa.types.is_string(kind) or pa.types.is_boolean(kind)
    return FieldType.TEXT if text else None


def cast(column: pa.Field, wanted: FieldType | None = None) -> str | None:
    """What to write in clients.sql so that a column fits a field; `wanted` None = any field. None:
    its values mean no number, or no day, however they are written."""
    name, kind = column.name, name_of(column)
    if wanted is FieldType.NUMBER and kind in _SECONDS:
        return f"extract(epoch FROM {name})"
    if wanted is FieldType.NUMBER:
        return _NUMBERS[kind].format(name) if kind in _NUMBERS else None
    if wanted is FieldType.DATE and kind not in _NOT_WHAT_ARROW_SAYS and _is_number(column.type):
        return f"to_timestamp({name})"
    if wanted is FieldType.DATE:
        return _DATES[kind].format(name) if kind in _DATES else None
    if kind.endswith("[]"):
        return f"array_to_string({name}, ', ')"
    return _CASTS.get(kind, "{0}::text").format(name)


def _is_moment(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or _is_numeric(kind))


def _is_numeric(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric"


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with `numeric` as the text that it comes as."""
    columns = [column.storage if _is_numeric(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
