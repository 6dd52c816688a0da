"""The table of commands. Each imports what it works with only when it is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contact_sync.cli.command import Command, Say, Usage, as_json, importing

if TYPE_CHECKING:
    from contact_sync.base.marks import Marks


def commands() -> tuple[Command, ...]:
    """All of them, in the order in which a new sync needs them."""
    return (
        Command("init", "write statements and a definition for the tables of a connected database",
                _init),
        Command("check-sql", "show some clients as contacts-to-be, and check the statements",
                _check_sql),
        Command("validate", "check definitions; with --connect also SendGrid and B2CORE",
                _validate),
        Command("plan", "dry run: say what a run would send; changes nothing", _plan),
        Command("run", "run a sync to its end in this process", _run),
        Command("status", "show the latest runs, rejected clients and dropped values", _status),
        Command("suppressions", "list who gets no mail from SendGrid, and why; prints addresses",
                _suppressions),
        Command("verify", "compare every contact of SendGrid's account with B2CORE", _verify),
        Command("repair", "have the next run put right what the newest verification has found",
                _repair),
        Command("explain", "say why one contact looks as it does; prints personal data", _explain),
        Command("erase", "forget people for good, at SendGrid and here; they don't come back",
                _erase),
        Command("erasures", "list who was erased, without saying who it was; their evidence",
                _erasures),
        Command("tombstones", "lift the tombstones of an erasure, so that the person may come back",
                _tombstones),
        Command("fields", "list SendGrid's lists and fields beside the mapping, what is missing",
                _fields),
        Command("probe", "ask a SendGrid account what nobody documents, with contacts of its own",
                _probe),
        Command("prune", "delete what is older than the definition keeps it", _prune),
        Command("rename", "go on under another name: after the `name` in a definition has changed",
                _rename),
        Command("syncs", "list the syncs that the state database knows, also without a definition",
                _syncs),
        Command("forget", "retire a sync whose definition is gone: nothing is known of it any more",
                _forget),
        Command("schema", "print the JSON Schema of a definition file", _schema),
        Command("migrate", "create or upgrade the state database's schema", _migrate),
    )  # fmt: skip


def _init() -> Usage:
    from contact_sync.cli import init as it

    return Usage(it.add_arguments, it.answer, it.EXAMPLES, about=it.ABOUT, codes=it.CODES)


def _check_sql() -> Usage:
    from contact_sync.cli import check_sql as it

    return Usage(it.add_arguments, it.answer, it.EXAMPLES, prints_json=True, codes=it.CODES)


def _validate() -> Usage:
    from contact_sync.cli import validate as it

    return Usage(it.add_arguments, it.answer, it.EXAMPLES, prints_json=True, codes=it.CODES)


def _plan() -> Usage:
    from contact_sync.cli import runs as it

    return Usage(
        it.add_planning, _in_one_process, it.PLAN_EXAMPLES, prints_json=True, about=it.TRIAL
    )


def _run() -> Usage:
    from contact_sync.cli import runs as it

    return Usage(
        it.add_running, _in_one_process, it.RUN_EXAMPLES,
        prints_json=True, about=it.TRIAL, codes=it.RUN_CODES,
    )  # fmt: skip


def _in_one_process(options: argparse.Namespace, say: Say) -> int:
    from contact_sync.cli.runs import answer

    with _open(options.sync, _marks(options.sync)) as sync:
        return answer(sync, options, say)


def _status() -> Usage:
    from contact_sync.cli import status as it

    return Usage(it.add_arguments, _each_line(it.lines), it.EXAMPLES, prints_json=True)


def _suppressions() -> Usage:
    from contact_sync.cli import suppressions as it

    return Usage(
        it.add_arguments, _each_line(it.lines), it.EXAMPLES, prints_json=True, about=it.ABOUT
    )


def _verify() -> Usage:
    from contact_sync.cli import verify as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync, _marks(options.sync)) as sync:
            return it.answer(sync, options, say)

    return Usage(
        it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, about=it.ABOUT, codes=it.CODES
    )


def _repair() -> Usage:
    from contact_sync.cli import repair as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync) as sync:
            return it.answer(sync, options, say)

    return Usage(it.add_arguments, carry_out, it.EXAMPLES, prints_json=True)


def _explain() -> Usage:
    from contact_sync.cli import explain as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync) as sync:
            said, code = it.answer(sync, options)
        say(said)
        return code

    return Usage(it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, codes=it.CODES)


def _erase() -> Usage:
    from contact_sync.cli import erase as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync, _marks(options.sync)) as sync:
            return it.answer(sync, options, say, _agrees)

    return Usage(
        it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, about=it.ABOUT, codes=it.CODES
    )


def _erasures() -> Usage:
    from contact_sync.cli import erasures as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync, _marks(options.sync)) as sync:
            return it.answer(sync, options, say)

    return Usage(it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, codes=it.CODES)


def _tombstones() -> Usage:
    from contact_sync.cli import erasures as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync) as sync:
            return it.lift(sync, options, say)

    return Usage(it.add_lifting, carry_out, it.LIFT_EXAMPLES, prints_json=True)


def _fields() -> Usage:
    from contact_sync.cli import fields as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync) as sync:
            return it.answer(sync, options, say, _agrees)

    return Usage(it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, codes=it.CODES)


def _probe() -> Usage:
    from contact_sync.cli import probe as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        return it.answer(options, say, _agrees)

    return Usage(
        it.add_arguments, carry_out, it.EXAMPLES, prints_json=True, about=it.ABOUT, codes=it.CODES
    )


def _prune() -> Usage:
    from contact_sync.cli import prune as it

    return Usage(it.add_arguments, it.answer, it.EXAMPLES, prints_json=True, about=it.ABOUT)


def _rename() -> Usage:
    from contact_sync.cli import rename as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        say(it.answer(options))
        return 0

    return Usage(it.add_arguments, carry_out, it.EXAMPLES)


def _syncs() -> Usage:
    from contact_sync.cli import syncs as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        say(it.listing(options))
        return 0

    return Usage(it.add_listing, carry_out, it.LIST_EXAMPLES, prints_json=True)


def _forget() -> Usage:
    from contact_sync.cli import syncs as it

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        said, code = it.forget(options, _agrees)
        say(said)
        return code

    return Usage(it.add_forgetting, carry_out, it.FORGET_EXAMPLES, about=it.FORGET_ABOUT)


def _schema() -> Usage:
    from contact_sync.config.definition import json_schema

    def carry_out(_options: argparse.Namespace, say: Say) -> int:
        say(as_json(json_schema()))
        return 0

    examples = {"schema > include/syncs/sync.schema.json": "for editors"}
    return Usage(lambda _command: None, carry_out, examples, prints_json=True)


def _migrate() -> Usage:
    from contact_sync.cli import migrate as it

    return Usage(it.add_arguments, it.answer, it.EXAMPLES, about=it.ABOUT, codes=it.CODES)


def _each_line(lines: Callable[..., Any]) -> Callable[[argparse.Namespace, Say], int]:
    """A command that says line after line of an open sync."""

    def carry_out(options: argparse.Namespace, say: Say) -> int:
        with _open(options.sync) as sync:
            for line in lines(sync, options):
                say(line)
        return 0

    return carry_out


def _open(name: str, marks: Marks | None = None) -> Any:
    with importing():
        from contact_sync.airflow_edge.handles import open_sync

    return open_sync(name, marks)


def _marks(name: str) -> Marks:
    from contact_sync.cli.mark_file import MarkFile

    return MarkFile(name)


def _agrees(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
