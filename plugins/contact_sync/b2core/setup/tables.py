"""What a database has, as far as its reader may see it: relations, columns, keys, samples. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

INTEGERS = ("smallint", "integer", "bigint")
TIMES = ("timestamp with time zone", "timestamp without time zone")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset(
    re.findall(r"\w+", (
        "all analyse analyze and any array as asc asymmetric authorization between bigint binary "
        "bit boolean both case cast char character check coalesce collate collation column "
        "concurrently constraint create cross current_catalog current_date current_role "
        "current_schema current_time current_timestamp current_user dec decimal default deferrable "
        "desc distinct do else end except exists extract false fetch float for foreign freeze from "
        "full grant greatest group grouping having ilike in initially inner inout int integer "
        "intersect interval into is isnull join json json_array json_arrayagg json_exists "
        "json_object json_objectagg json_query json_scalar json_serialize json_table json_value "
        "lateral leading least left like limit localtime localtimestamp merge_action national "
        "natural nchar none normalize not notnull null nullif numeric offset on only or order out "
        "outer overlaps overlay placing position precision primary real references returning right "
        "row select session_user setof similar smallint some substring symmetric system_user table "
        "tablesample then time timestamp to trailing treat trim true union unique user using "
        "values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement "
        "xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable xmin xmax "
        "ctid cmin cmax tableoid "
    ))
)  # fmt: skip
"""Words that are no column's or table's name without quotes (PostgreSQL docs, appendix C)."""
XMIN_KINDS = ("r", "p")  # ordinary and partitioned tables: nothing else shows its rows' xmin


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` as format_type says it without a length, `category` and `kind` as pg_type
    has them (typcategory, typtype); of a domain they are those of its base type. `labels`: of an
    enum. `samples`: texts of at most some hundred rows, None = NULL; personal data. `common`: of a
    column with few values, those that the planner's statistics know: first pages don't show all."""

    name: str
    type: str
    category: str = "S"
    kind: str = "b"
    labels: tuple[str, ...] = ()
    samples: tuple[str | None, ...] = field(default=(), repr=False)
    common: tuple[str, ...] = field(default=(), repr=False)

    @property
    def values(self) -> list[str]:
        """The samples that say something."""
        return [value for value in self.samples if value and value.strip()]

    @property
    def words(self) -> set[str]:
        """All values that are known of it, or may be in it, in lower case."""
        known = self.labels or (*self.values, *self.common)
        return {value.strip().lower() for value in known}

    @property
    def is_text(self) -> bool:
        """Whether it holds texts, an enum's labels among them."""
        return self.category in ("S", "E") or self.type == "citext"

    @property
    def is_json(self) -> bool:
        """Whether it is of a JSON type."""
        return self.type in ("json", "jsonb")

    @property
    def family(self) -> str:
        """What keys must share to be compared: all integers are of one family, all texts too."""
        if self.type in INTEGERS:
            return "integer"
        return "text" if self.is_text else self.type


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A column that names the row of another relation by one column of that."""

    column: str
    schema: str
    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view. `kind` is pg_class.relkind; `rows` the planner's estimate, -1 = none.
    `unique`: columns that are unique by themselves, the primary key among them. `hidden`: names of
    columns that the role may not read."""

    schema: str
    name: str
    kind: str
    rows: int
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    hidden: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Its name as SQL writes it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def get(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All relations, and what was noticed while they were read, in sentences."""

    relations: tuple[Relation, ...]
    notes: tuple[str, ...] = ()

    def get(self, schema: str, name: str) -> Relation | None:
        """The relation of this name."""
        for relation in self.relations:
            if (relation.schema, relation.name) == (schema, name):
                return relation
        return None


def quoted(name: str) -> str:
    """An identifier as SQL needs it: in quotes unless it is plain and no word of SQL.

    A name with a per cent sign and a parenthesis can't be taken for a placeholder: the sign is
    written as a Unicode escape (PostgreSQL docs, 4.1.2.3).
    """
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    plain = name.replace('"', '""')
    if "%(" not in name:
        return f'"{plain}"'
    return 'U&"' + plain.replace("\\", "\\\\").replace("%", "\\0025") + '"'


def text_literal(value: str) -> str:
    """A text as SQL writes it with standard_conforming_strings, without a placeholder's sign."""
    plain = value.replace("'", "''")
    if "%(" in value:
        return "U&'" + plain.replace("\\", "\\\\").replace("%", "\\0025") + "'"
    return f"'{plain}'"
