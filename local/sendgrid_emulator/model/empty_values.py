"""The switches of values that say "nothing", and of those that don't fit; how to read them:
`settings.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from local.sendgrid_emulator.model.served_files import ServedFiles

EmptyString = Literal["clear", "keep", "error", "refuse"]
EmptyCell = Literal["as text", "keep", "clear", "error"]
Null = Literal["refuse", "keep", "clear"]
FieldKind = Literal["reserved", "Text", "Number", "Date"]


class EmptyValues(ServedFiles):
    """What an empty cell, an empty string and null do, and a value that is too long."""

    empty_cell: Literal["keep", "clear", "error"] = Field(
        description="what an empty cell of a mapped CSV column does. [I] No source says, so there "
        "is no default: whoever starts the emulator chooses; `error`: of its row",
    )
    empty_custom_cell: EmptyCell = Field(
        "as text",
        description="[I] the same in the column of a custom Text; `as text`: as empty_cell says, "
        "`error`: an error of its row",
    )
    empty_number_cell: EmptyCell = Field("as text", description="[I] the same of a Number")
    empty_date_cell: EmptyCell = Field("as text", description="[I] the same of a Date")

    empty_strings: EmptyString = Field(
        "clear",
        description='"" in a reserved field in JSON: clears it [K recording 2021], changes '
        "nothing, is an error of its row, or refuses the call",
    )
    empty_custom_strings: EmptyString = Field(
        "clear", description="[I] the same in a custom Text; production code relies on it"
    )
    empty_number_strings: EmptyString = Field("error", description="[I] the same in a Number")
    empty_date_strings: EmptyString = Field("error", description="[I] the same in a Date")

    null_values: Null = Field(
        "keep",
        description="null in a reserved field in JSON: refuses the call, or changes nothing, or "
        "clears the field. [I] Two vendors send it in production [K Segment, hotglue]",
    )
    custom_null_values: Null = Field(
        "refuse", description="[I] the same in a custom field of type Text, and of Date"
    )
    date_null_values: Literal["as text", "refuse", "keep", "clear"] = Field(
        "as text", description="[I] the same in a Date, if it isn't as in a Text"
    )
    number_null_values: Null = Field("refuse", description="the same in a Number [K docs#6323]")

    row_error: Literal["row", "value"] = Field(
        "row",
        description="[I] a bad value loses its whole row, or only itself; reported either way",
    )
    long_values: Literal["error", "truncate", "refuse"] = Field(
        "error",
        description="[I] values over the documented lengths: an error of the row, cut, or in JSON "
        "refusing the call (in a CSV file an error)",
    )
    long_numbers: Literal["rounded", "exact", "error"] = Field(
        "rounded",
        description="[I] whole numbers beyond 2^53 in a CSV file: as a double holds them, as they "
        "are, or an error of the row",
    )

    def cell_of(self, kind: FieldKind) -> str:
        """Return what an empty cell does in a column of a field of this kind."""
        modes = {
            "Text": self.empty_custom_cell,
            "Number": self.empty_number_cell,
            "Date": self.empty_date_cell,
        }
        mode = modes.get(kind, "as text")
        return self.empty_cell if mode == "as text" else mode

    def string_of(self, kind: FieldKind) -> EmptyString:
        """Return what an empty string does in a field of this kind."""
        return {
            "reserved": self.empty_strings,
            "Text": self.empty_custom_strings,
            "Number": self.empty_number_strings,
            "Date": self.empty_date_strings,
        }[kind]

    def null_of(self, kind: FieldKind) -> Null:
        """Return what null does in a field of this kind."""
        if kind == "reserved":
            return self.null_values
        if kind == "Date" and self.date_null_values != "as text":
            return self.date_null_values
        return self.number_null_values if kind == "Number" else self.custom_null_values
