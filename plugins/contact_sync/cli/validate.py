"""`validate`: whether definitions, connections, statements and the account fit together."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.config.files import Definitions, read_definitions, source_folder

EXAMPLES = {
    "validate": "every definition, without connecting",
    "validate NAME --connect": "also databases, statements, key, list, fields",
    "validate NAME --connect --json": "the findings for machines",
}
CODES = "0 all is right (warnings are), 1 something is wrong, 2 wrong usage"
MARK = {Judgement.OK: "ok", Judgement.WARNING: "warning", Judgement.WRONG: "WRONG",
        Judgement.SKIPPED: "skipped"}  # fmt: skip


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command, nargs="?", help="one sync; default: all files")
    command.add_argument(
        "--connect",
        action="store_true",
        help="also look at both databases, the statements, key, list and fields; only reads, "
        "every client once",
    )


def answer(options: argparse.Namespace, say: Say) -> int:
    """Say what was found; returns the exit code."""
    found = read_definitions()
    for message in found.broken.values():
        sys.stderr.write(f"error: {message}\n")
    if options.sync and options.sync not in found.by_name:
        sys.stderr.write(f"error: there is no sync {options.sync!r}\n")
        return 1
    names = [options.sync] if options.sync else sorted(found.by_name)
    told: list[tuple[str | None, list[Finding]]] = []
    for name in names:
        look = _checked(name, found) if options.connect else _read(name, found)
        told.append((name, _shown(name, look, options, say)))
    if options.json:
        broken = {} if options.sync else found.broken
        told += [(None, [_broken(said)]) for said in broken.values()]
        say(as_json([_entry(name, findings) for name, findings in told]))
    return int(bool(found.broken) or any(_wrong(findings) for _, findings in told))


def _shown(
    name: str, look: Iterator[Finding], options: argparse.Namespace, say: Say
) -> list[Finding]:
    """All findings of a sync; each is said as soon as it is known, unless JSON is wanted."""
    findings = []
    for finding in look:
        findings.append(finding)
        if not options.json and (options.connect or finding.judgement is not Judgement.OK):
            say(line(finding))
    if wrong := _wrong(findings):
        lines = "".join(f"  - {f.area}: {f.subject}: {f.text}\n" for f in wrong)
        sys.stderr.write(f"error: Sync {name!r} can't run; nothing was sent. To fix:\n{lines}")
    if not options.json:
        say(f"{name}: {_conclusion(findings, connected=options.connect)}")
    return findings


def _wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.judgement is Judgement.WRONG]


def _broken(said: str) -> Finding:
    """A file of which nobody knows which sync it is."""
    return Finding(Area.DEFINITION, "file", Judgement.WRONG, said)


def _entry(name: str | None, findings: list[Finding]) -> dict[str, Any]:
    told = [asdict(finding) for finding in findings]
    return {"sync": name, "right": not _wrong(findings), "findings": told}


def _read(name: str, found: Definitions) -> Iterator[Finding]:
    """What can be said of a definition without a connection."""
    for said in found.warnings.get(name, []):
        yield Finding(Area.DEFINITION, "file", Judgement.WARNING, said)
    try:
        source_folder(found.by_name[name])
    except ConfigError as error:
        yield Finding(Area.DEFINITION, "source.sql", Judgement.WRONG, str(error))


def _checked(name: str, found: Definitions) -> Iterator[Finding]:
    # Only now: Arrow takes a second.
    from contact_sync.airflow_edge.handles import setup_of
    from contact_sync.airflow_edge.set_up_findings import set_up_findings

    yield from set_up_findings(setup_of(found.by_name[name], found.warnings.get(name, [])))


def line(finding: Finding) -> str:
    """A finding as people read it."""
    text = f"  {MARK[finding.judgement]:<8} {finding.area}: {finding.subject}: {finding.text}"
    return f"{text}\n{'':11}fix: {finding.fix}" if finding.fix else text


def _conclusion(findings: list[Finding], *, connected: bool) -> str:
    warnings = sum(finding.judgement is Judgement.WARNING for finding in findings)
    if wrong := _wrong(findings):
        return f"{len(wrong):,} wrong, {count(warnings, 'warning')}"
    right = "definition and setup are right" if connected else "definition is right"
    return f"{right}; {count(warnings, 'warning')}" if warnings else right
