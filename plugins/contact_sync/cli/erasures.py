"""The commands `erasures` and `tombstones`: what was erased, its evidence, and lifting it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contact_sync.base.erasure_steps import STEP_WORDS, ErasureStep, TombstoneKind
from contact_sync.base.errors import ConfigError
from contact_sync.base.moments import moment
from contact_sync.base.numbers import count, count_of
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.cli.erase import UNFINISHED, user
from contact_sync.erasure.request import checked_reason
from contact_sync.erasure.transfer import MAX_FILE, exported, put_back
from contact_sync.lookup.find_clients import normalised
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.continue_erasures import go_on
from contact_sync.run.outer_mark import count_erasures
from contact_sync.state import erasures, tombstones
from contact_sync.state.erasures import Erasure, SealedStep, Step
from contact_sync.sync import Sync

MAX_LOSS = 1_000_000
"""As many more may be lost afterwards without a word as are said to be lost and weren't."""
EXAMPLES = {
    "erasures NAME": "erasures that were asked for in a sync, or concern its clients",
    "erasures NAME --show ID": "one, step by step: its evidence",
    "erasures NAME --check": "whether every record is as it was written",
    "erasures NAME --of ADDRESS": "whether an address was erased, and by which of them",
    "erasures NAME --continue": "go on with those that aren't finished, without a run",
    "erasures NAME --export > FILE": "all of them, for after a restore; no personal data",
    "erasures NAME --import FILE": "put back what the state database has lost",
}
CODES = (
    "0 done, 1 something is wrong, or not as recorded, 2 wrong usage, 3 some aren't finished yet"
)
LIFT_EXAMPLES = {
    "tombstones NAME": "how many are in force, and of which erasures",
    'tombstones NAME --lift ID --reason "came back"': "the next run may send the person again",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--show", metavar="ID", help="the evidence of one; the id's beginning will do"
    )
    what.add_argument("--check", action="store_true", help="compare every record with its seals")
    what.add_argument("--of", metavar="ADDRESS", help="only those that an address is one of")
    what.add_argument(
        "--continue", dest="go_on", action="store_true", help="go on with what isn't finished"
    )
    what.add_argument("--export", action="store_true", help="print all of them as a file")
    what.add_argument("--import", dest="put_back", type=Path, metavar="FILE",
                      help="put back those that the state database has lost")  # fmt: skip
    what.add_argument(
        "--accept-loss", type=int, metavar="N",
        help="let runs go on although N erasures are lost for good",
    )  # fmt: skip


def add_lifting(command: argparse.ArgumentParser) -> None:
    """The options of `tombstones`."""
    add_sync(command)
    command.add_argument("--lift", metavar="ID", help="the erasure; the id's beginning will do")
    command.add_argument("--reason", default="", help="kept for ever with the erasure")


def answer(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """What was asked for; returns the exit code."""
    sync.state.check_schema()
    if options.put_back:
        return _put_back(sync, options, say)
    if options.go_on:
        why = go_on(sync)
        say(as_json({"why": why}) if options.json else why or "Nothing is left to do in this sync")
        return UNFINISHED if why else 0
    return _looked_at(sync, options, say)


def _looked_at(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    with sync.state.transaction() as cursor:
        if options.accept_loss is not None:
            if not 1 <= options.accept_loss <= MAX_LOSS:
                raise ConfigError(f"The number of lost erasures is 1 to {MAX_LOSS}: the one that "
                                  f"the run's error names")  # fmt: skip
            erasures.accept_loss(cursor, sync.definition.name, options.accept_loss)
            say(as_json({"accepted": options.accept_loss}) if options.json else "Runs go on")
            return 0
        if options.export:
            say(exported(cursor, sync.hash_keys().current))
            return 0
        if options.show:
            return _show(sync, cursor, options, say)
        if options.check:
            return _check(sync, cursor, options, say)
        return _list(sync, cursor, options, say)


def lift(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """Lift the tombstones of one erasure, or say which are in force."""
    sync.state.check_schema()
    with sync.state.transaction() as cursor:
        if options.lift:
            erasure = _named(cursor, options.lift)
            lift_erasure(sync, cursor, erasure, by=user(), reason=options.reason)
            found = [erasure.erasure_id]
            said = f"Erasure {erasure.erasure_id} is lifted: the next run may send the person again"
        else:
            by_erasure = tombstones.by_erasure(cursor, sync.definition.name)
            found = list(by_erasure)
            said = "\n".join(
                f"{one}: {len(stones):,} in force" for one, stones in by_erasure.items()
            )
    name = "lifted" if options.lift else "in_force"
    say(as_json({name: found}) if options.json else said or "No tombstone is in force")
    return 0


def lift_erasure(sync: Sync, cursor: Cursor, erasure: Erasure, *, by: str, reason: str) -> None:
    """Take an erasure's tombstones out of force, and record who did so. Raises ConfigError while it
    isn't finished, or if that was done before."""
    if erasure.open_in:
        raise ConfigError(f"Erasure {erasure.erasure_id[:8]} isn't finished, so it isn't lifted")
    step = Step(ErasureStep.LIFTED, sync.definition.name, by, checked_reason(reason))
    if not erasures.lift(cursor, erasure.erasure_id):
        raise ConfigError(f"Erasure {erasure.erasure_id[:8]} has been lifted before")
    erasures.record(cursor, erasure.erasure_id, step, sync.hash_keys().current)


def _put_back(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    try:
        if options.put_back.stat().st_size > MAX_FILE:
            raise ConfigError("The file is larger than any export")
        text = options.put_back.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"The file can't be read: {type(error).__name__}") from None
    new = put_back(sync, text)
    why = go_on(sync)
    count_erasures(sync)
    said = f"{count(new, 'erasure is', 'erasures are')} put back" + (
        f"; not finished: {why}" if why else ""
    )
    say(as_json({"put_back": new, "why": why}) if options.json else said)
    return UNFINISHED if why else 0


def _named(cursor: Cursor, beginning: str, sync_name: str | None = None) -> Erasure:
    found = erasures.erasures(cursor, beginning=beginning, sync_name=sync_name)
    if len(found) != 1:
        raise ConfigError(f"{len(found):,} erasures have ids that begin so; `erasures` lists them")
    return found[0]


def _list(sync: Sync, cursor: Cursor, options: argparse.Namespace, say: Say) -> int:
    # Whether an address was erased concerns every sync: none sends it.
    found = erasures.erasures(cursor, sync_name=None if options.of else sync.definition.name)
    if options.of is not None:
        address, keys = normalised(options.of), sync.hash_keys()
        macs = [key.mac(TombstoneKind.ADDRESS, address) for key in (keys.current, *keys.former)]
        ids = tombstones.erasures_of(cursor, macs)
        found = [one for one in found if one.erasure_id in ids]
    if options.json:
        say(as_json({"erasures": [asdict(one) | {"state": one.state} for one in found]}))
    for one in () if options.json else found:
        left = f", open in {', '.join(one.open_in)}" if one.open_in else ""
        why = f": {one.cause}" if one.cause else ""
        say(f"{one.erasure_id}: {one.state}, asked for {moment(one.requested_at)} in "
            f"{one.sync_name}, {one.tombstones:,} tombstones{left}{why}")  # fmt: skip
    if not (found or options.json):
        say("No erasure" if options.of is None else "This address was not erased")
    return UNFINISHED if any(one.open_in for one in found) else 0


def _show(sync: Sync, cursor: Cursor, options: argparse.Namespace, say: Say) -> int:
    """The evidence, and whether it is as it was recorded."""
    erasure = _named(cursor, options.show, sync.definition.name)
    steps = erasures.steps_of(cursor, erasure.erasure_id)
    broken = erasures.first_broken(erasure.erasure_id, steps, sync.hash_keys())
    if options.json:
        say(as_json(asdict(erasure) | {
            "state": erasure.state, "steps": [_plain(step) for step in steps],
            "first_broken_step": broken,
        }))  # fmt: skip
        return 1 if broken else 0
    say(f"Erasure {erasure.erasure_id}: {erasure.state}, {erasure.tombstones} tombstones")
    for step in steps:
        say(_line(step))
    if erasure.cause:
        say(f"  not finished: {erasure.cause}")
    say(f"  The record was changed at step {broken}" if broken else
        "  Every step is as it was recorded")  # fmt: skip
    return 1 if broken else 0


def _check(sync: Sync, cursor: Cursor, options: argparse.Namespace, say: Say) -> int:
    keys, broken = sync.hash_keys(), {}
    for erasure_id in erasures.every_id(cursor):
        steps = erasures.steps_of(cursor, erasure_id)
        if (number := erasures.first_broken(erasure_id, steps, keys)) is not None:
            broken[erasure_id] = number
    if options.json:
        say(as_json({"broken": broken}))
    else:
        said = [f"{one}: the record was changed at step {n}" for one, n in broken.items()]
        say("\n".join(said) or "Every record is as it was written")
    return 1 if broken else 0


def _plain(step: SealedStep) -> dict[str, Any]:
    return asdict(step) | {"numbers": dict(step.numbers), "seal": bytes(step.seal).hex()}


def _line(step: SealedStep) -> str:
    """A step in words."""
    said = [f"  {step.step_no}. {moment(step.at)}: {STEP_WORDS[step.what]}"]
    if step.sync_name:
        said.append(f"in {step.sync_name}")
    if step.by_whom:
        said.append(f"by {step.by_whom}: {step.reason}")
    said += [count_of(n, what) for what, n in step.numbers.items()]
    if step.job_id:
        said.append(f"job {step.job_id}")
    return ", ".join(said)
