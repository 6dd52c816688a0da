"""The switches of the files that the emulator serves; how to read them: `settings.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ServedFiles(BaseModel):
    """How files of row errors and exports look, and how they are served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The file of row errors: nothing is documented about it
    errors_layout: Literal["uploaded", "short", "odd", "json", "json_lines"] = Field(
        "uploaded",
        description="[I] the uploaded columns and `error`; or `identifier,reason`; or the same "
        "with odd names; or JSON, as a list or an object a line",
    )
    errors_separator: Literal[",", ";", "\t"] = Field(",", description="[I]")
    errors_encoding: Literal["utf-8", "utf-8-sig", "utf-16"] = Field("utf-8", description="[I]")
    errors_file: Literal["whole", "missing", "truncated", "bomb", "wide", "not_utf8"] = Field(
        "whole",
        description="[I] how it is served: 404 for `missing`, two thirds of it, with 100 MB of "
        "spaces in 97 kB of gzip at its end, with 100,000 more columns, with bytes that are no "
        "UTF-8",
    )
    errors_left_out: int = Field(0, ge=0, description="[I] so many errored rows are not in it")
    errors_upper: bool = Field(default=False, description="[I] addresses in upper case")
    errors_gzip: bool = Field(default=False, description="[I]")
    errors_url: bool = Field(default=True, description="[I] False: errored without any file")
    errors_lifetime: float = Field(
        3600.0, ge=0, description="[I] validity of errors_url; 0 makes it expired at once"
    )

    # Exports: of a line of their files one report is known, csharp#1024
    export_lifetime: float = Field(
        43_200.0, ge=0, description="validity of an export's address: 12 hours [K Manage contacts]"
    )
    export_links: Literal["once", "each look"] = Field(
        "once", description="[I] whether a look at an export signs its addresses anew"
    )
    export_pace: float = Field(
        0.0, ge=0, description="[I] the pause after 500 contacts; minutes to hours in all"
    )
    export_megabyte: int = Field(
        1_000_000, ge=1, description="bytes of a MB of max_file_size, before compression [I]"
    )
    export_gzip: bool = Field(default=True, description="[K StrongGrid]; some say plain")
    export_json: Literal["lines", "array"] = Field("lines", description="[K csharp#1024]")
    export_lists: Literal["left out", "shown"] = Field(
        "left out", description="list_ids in a JSON file [K csharp#1024 has none]"
    )
    export_unset: Literal["left out", "empty"] = Field(
        "left out", description="what isn't set, in a JSON file [K csharp#1024 leaves it out]"
    )
    export_dates: Literal["iso", "day", "us"] = Field("iso", description="[I] of custom fields")
    export_numbers: Literal["number", "text"] = Field("number", description="[I] the same")
    export_file: Literal["whole", "missing", "truncated", "bomb"] = Field(
        "whole",
        description="[I] how each file is served: 404, two thirds of it, with 1 GB of spaces in "
        "1 MB of gzip at its end",
    )
