"""Carry out an export: write contacts into gzipped files, while everything else goes on.

Contacts are shown as they are when their turn comes, so an export is of no single moment [I]. A
line of a JSON file is what sendgrid-csharp#1024 shows: `contact_id` in place of `id`, neither lists
nor what is unset. The columns of a CSV file are ours [I].
"""

from __future__ import annotations

import asyncio
import csv
import io
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.exports import Export
from local.sendgrid_emulator.model.show import TEXTS, Showcase
from local.sendgrid_emulator.model.spool import Spool

PIECE_CONTACTS = 500
GZIP_WINDOW = 31  # zlib: the largest window, with a gzip header
TIMES = ("created_at", "updated_at")


async def begin_export(account: Account, export: Export, base_url: str) -> None:
    """Write beside the jobs: a slow export must not hold them up."""
    account.queue.beside(write_export(account, export, base_url))


async def write_export(account: Account, export: Export, base_url: str) -> None:
    """Write the files, unless the job's fault is to fail or never to finish."""
    job, settings = export.job, account.settings
    show, file = Showcase(account, base_url), _File(export, account)
    halfway = job.rows_to("fails_halfway")
    left_out = job.rows_to("drops_rows") or 0
    ids: Iterator[str] = iter(list(account.contacts.by_id))
    while piece := list(islice(ids, PIECE_CONTACTS)):
        for contact_id in piece:
            contact = account.contacts.by_id.get(contact_id)
            if contact is None or not on_lists(contact.list_ids, export.list_ids):
                continue
            if left_out:
                left_out -= 1
                continue
            file.add(show.contact(contact))
            export.contact_count += 1
            if halfway is not None and export.contact_count >= halfway:
                ids = iter(())
                break
        export.updated_at = account.clock.now()
        await asyncio.sleep(settings.export_pace)
    file.close()
    if halfway is not None:
        job.failure, export.files = "internal error", []
    if job.fault is None or job.fault.kind != "never_finishes":
        job.finish_at = account.clock.now() + settings.finish_delay


def on_lists(has: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Return whether a contact belongs into an export of these lists; none = of everybody."""
    return not wanted or not set(wanted).isdisjoint(has)


class _File:
    """Writes contacts into the files of an export, a new one when one is full."""

    def __init__(self, export: Export, account: Account) -> None:
        self._export = export
        self._settings = account.settings
        self._custom = [field.name for field in account.fields.custom.values()]
        self._most = export.max_megabytes * account.settings.export_megabyte
        self._begin()

    def add(self, shown: dict[str, Any]) -> None:
        """Write one contact."""
        line = self._csv(shown) if self._export.file_type == "csv" else self._json(shown)
        if self._size and self._size + len(line) > self._most:
            self._end()
            self._begin()
        if self._is_array:
            line = (b"," if self._size else b"[") + line.rstrip()
        self._write(line)

    def close(self) -> None:
        """Write the end of the last file."""
        self._end()

    @property
    def _is_array(self) -> bool:
        return self._export.file_type == "json" and self._settings.export_json == "array"

    def _begin(self) -> None:
        self._spool, self._size = Spool(), 0
        self._zip = zlib.compressobj(1, zlib.DEFLATED, GZIP_WINDOW)
        self._export.files.append(self._spool)
        if self._export.file_type == "csv":
            header = [name.upper() for _, name in TEXTS]
            more = ["ALTERNATE_EMAILS", "CONTACT_ID", *(name.upper() for name in TIMES)]
            self._put(csv_line([*header, *more, *self._custom]))

    def _write(self, line: bytes) -> None:
        self._size += len(line)
        self._put(line)

    def _put(self, line: bytes) -> None:
        packed = self._zip.compress(line) if self._settings.export_gzip else line
        self._spool.write(packed)

    def _end(self) -> None:
        if self._is_array:
            self._put(b"]" if self._size else b"[]")
        if self._settings.export_gzip:
            self._spool.write(self._zip.flush())
        self._spool.done()

    def _json(self, shown: dict[str, Any]) -> bytes:
        settings = self._settings
        found = {"contact_id": shown.pop("id")} | shown
        del found["_metadata"], found["segment_ids"]
        if settings.export_lists == "left out":
            del found["list_ids"]
        found["custom_fields"] = {k: self._value(v) for k, v in shown["custom_fields"].items()}
        if settings.export_unset == "left out":
            found = {k: v for k, v in found.items() if v not in ("", None, [])}
        return orjson.dumps(found) + b"\n"

    def _csv(self, shown: dict[str, Any]) -> bytes:
        texts = [shown[name] for _, name in TEXTS]
        more = [",".join(shown["alternate_emails"]), shown["id"], *(shown[name] for name in TIMES)]
        custom = shown["custom_fields"]
        values = (self._value(custom[name]) if name in custom else "" for name in self._custom)
        return csv_line([*texts, *more, *values])

    def _value(self, value: Any) -> Any:
        """Return a custom value the way the settings write it."""
        if isinstance(value, str) and is_moment(value):
            day = value[:10]
            us = f"{day[5:7]}/{day[8:]}/{day[:4]}"
            return {"iso": value, "day": day, "us": us}[self._settings.export_dates]
        if isinstance(value, int | float) and self._settings.export_numbers == "text":
            return f"{value:.2f}"
        return value


def is_moment(text: str) -> bool:
    """Return whether a value is a date as contacts keep them, `2021-02-11T00:00:00Z`."""
    return len(text) == 20 and text[10] == "T" and text[19] == "Z" and text[:4].isdecimal()


def csv_line(cells: list[Any]) -> bytes:
    """Return one line of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def served(spool: Spool, kind: str) -> Iterator[bytes]:
    """Yield a file as it is, cut in its last third, or with a gigabyte of spaces at its end."""
    left = spool.size * 2 // 3 if kind == "truncated" else spool.size
    with spool.open() as file:
        while left and (piece := file.read(min(left, 1 << 18))):
            left -= len(piece)
            yield piece
    if kind == "bomb":
        zipped = zlib.compressobj(9, zlib.DEFLATED, GZIP_WINDOW)
        for _ in range(1000):
            yield zipped.compress(b" " * 1_000_000)
        yield zipped.flush()
