"""Where a run sends: the account's list and fields, as check_setup resolved them. Pure."""

from __future__ import annotations

from collections.abc import Mapping as JsonObject
from dataclasses import dataclass
from typing import Any, Self

from contact_sync.base.json_columns import JsonColumn
from contact_sync.contacts.mapping import Mapping


@dataclass(frozen=True, slots=True)
class Destination(JsonColumn):
    """Columns `run.destination` and, of the last finished run, `sync.destination`.

    `version` is the mapping's when the run was checked: this code may give another one for the
    same mapping. `list_name` None = no list. `key_mark` tells one SendGrid key from another
    (sendgrid.transport.key_mark); None = an earlier version stored none. `former_lists`: ids of the
    lists that the sync had before, and on which its contacts have stayed. `is_source_checked`:
    B2CORE was asked; else the mapping is that of the run before, because B2CORE stood still.
    """

    mapping: Mapping
    version: str
    list_name: str | None
    key_mark: str | None = None
    former_lists: tuple[str, ...] = ()
    is_source_checked: bool = True

    def to_json(self) -> dict[str, Any]:
        """What is stored."""
        return {
            "mapping": self.mapping.to_json(), "version": self.version, "list": self.list_name,
            "key_mark": self.key_mark, "former_lists": list(self.former_lists),
            "is_source_checked": self.is_source_checked,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: JsonObject[str, Any]) -> Self:
        """The inverse of `to_json`."""
        mapping = Mapping.from_json(data["mapping"])
        former = tuple(data.get("former_lists", ()))
        return cls(
            mapping, data["version"], data.get("list"), data.get("key_mark"), former,
            data.get("is_source_checked", True),
        )  # fmt: skip
