"""The command `probe`: learn from a SendGrid account what nobody documents."""

from __future__ import annotations

import argparse
import re
import secrets
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from contact_sync.base.account_questions import QUESTIONS
from contact_sync.base.errors import ConfigError, Stopped, SyncError
from contact_sync.cli.command import PROGRAM, Say, as_json
from contact_sync.config.account_profile import AccountProfile, read_profile
from contact_sync.probe.account import MOST_ADDRESSES, Account, address_of
from contact_sync.probe.cleaning import clean
from contact_sync.probe.made import Made, alone, load, state_path, unusable
from contact_sync.probe.run_probe import ask, begin, profile_of
from contact_sync.probe.write_profile import write_profile

ADDRESSES = "contact-sync-probe-{token}-{n}@example.com"
EXAMPLES = {
    "probe sendgrid_default": "ask, and write include/accounts/sendgrid_default.yaml",
    "probe sendgrid_default --clean": "take away what a killed probe has left",
    "probe sendgrid_default --addresses 'probe+{token}-{n}@example.com'": "addresses of your own",
}
ABOUT = """\
It makes up to 60 contacts, a list and three custom fields of its own, two or three CSV imports and
two exports, and deletes all of them. It never touches a contact, list or field that it didn't make.
It takes minutes; Ctrl-C cleans up, and the next start goes on with what isn't answered yet.
The key needs Marketing: Full Access. What was seen is written into
include/accounts/CONNECTION.yaml; a definition relies on it by `account: CONNECTION`. The questions
are in docs/sendgrid-behaviour.md."""
CODES = "0 done, 1 something is wrong or is left, 2 wrong usage"
COST = """\
This asks the SendGrid account behind the connection {connection}. It will
  - make at most {contacts} contacts, such as {example};
    while they exist they count for the plan
  - make the list {list!r} and three custom fields, contact_sync_probe_{token}_…
  - import two CSV files: SendGrid mails the account's admins after each; nobody else is mailed;
    if the second one fails as a whole, a third one shows whether that was chance
  - order two exports of that list, and send some 200 calls, at most 700 of them in one minute
  - delete all of that again{keep}
It notes what it makes in {path}"""
PLAIN_ADDRESS = re.compile(r"[a-z0-9._+-]+@([a-z0-9-]+\.)+[a-z]{2,}")
CONNECTION = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("connection", metavar="CONNECTION", help="SendGrid's Airflow connection")
    add = command.add_argument
    add("--list", metavar="NAME", help="the name of the probe's list (contact_sync probe …)")
    add(
        "--addresses",
        metavar="PATTERN",
        default=ADDRESSES,
        type=_pattern,
        help="addresses of the contacts; {n} stands for a number, {token} for a random word "
        "(%(default)s)",
    )
    add("--yes", action="store_true", help="don't ask")
    add("--keep", action="store_true", help="leave what was made; --clean takes it away later")
    add("--clean", action="store_true", help="only take away what an earlier probe has left")
    add("--record", metavar="FOLDER", type=Path, help="keep each call and its answer there, "
        "without secrets and addresses")  # fmt: skip


def _pattern(text: str) -> str:
    longest = address_of(text, "x" * 6, MOST_ADDRESSES)
    if "{n}" not in text or PLAIN_ADDRESS.fullmatch(longest) is None or len(longest) > 100:
        raise argparse.ArgumentTypeError(
            "write a plain address with {n} in it, of at most 100 characters, such as " + ADDRESSES
        )
    return text


def answer(options: argparse.Namespace, say: Say, agrees: Callable[[str], bool]) -> int:
    """Say what is done, ask, do it; returns the exit code. `agrees` asks a person."""
    if CONNECTION.fullmatch(options.connection) is None:
        raise ConfigError("A connection's id has letters, digits, and . _ - only")
    path = state_path(options.connection)
    with alone(path):
        made = load(path)
        if made is not None and made.connection != options.connection:
            raise unusable(path)
        if options.clean:
            return _clean_up(options, made, say)
        return _probe(options, _adopted(made, options) or _new(path, options), say, agrees)


def _probe(options: argparse.Namespace, made: Made, say: Say, agrees: Callable[[str], bool]) -> int:
    tell(_cost(made, keep=options.keep))
    if not (options.yes or agrees("Go on?")):
        tell("Nothing was done")
        return 1
    done = _carry_out(options, made)
    if options.json:
        told = {"left": done.left, "changed": done.changed, "failed": done.failed}
        say(as_json(asdict(done.profile) | told))
    else:
        say(_summary(done))
    return 1 if done.left or done.failed else 0


@dataclass(frozen=True, slots=True)
class Done:
    """What a probe has come to. `failed`: why, by question, where a part of it failed; `written`:
    the profile's place, "" = it wasn't written; the others in words."""

    profile: AccountProfile
    failed: dict[str, str]
    changed: list[str]
    left: list[str]
    written: str


def _changed(profile: AccountProfile) -> list[str]:
    """What the account has answered otherwise before, in words; nothing without a profile."""
    if (before := _earlier(profile.connection)) is None:
        return []
    pairs = [(code, before[code], profile[code]) for code in QUESTIONS if QUESTIONS[code].answers]
    return [
        f"Changed since {before.seen_on}: {code} was {old}, and is {new}"
        for code, old, new in pairs
        if old is not None and new is not None and old != new
    ]


def _earlier(connection: str) -> AccountProfile | None:
    try:
        return read_profile(connection)
    except ConfigError:
        return None


def _adopted(made: Made | None, options: argparse.Namespace) -> Made | None:
    """What an earlier probe noted, under the names that are asked for now."""
    if made is None:
        return None
    if made.is_empty and options.addresses != made.pattern:
        made.pattern = options.addresses
    if made.is_empty and options.list:
        made.list_name = options.list
    if made.answers.keys() >= QUESTIONS.keys():  # it was kept: this is another probe
        made.answers.clear()
    return made


def _new(path: Path, options: argparse.Namespace) -> Made:
    token = secrets.token_hex(3)
    name = options.list or f"contact_sync probe {token}"
    return Made(path, options.connection, token, options.addresses, name, time.time())


def _cost(made: Made, *, keep: bool) -> str:
    return COST.format(
        connection=made.connection,
        contacts=MOST_ADDRESSES,
        example=address_of(made.pattern, made.token, 1),
        list=made.list_name,
        token=made.token,
        keep=", once you say --clean" if keep else "",
        path=made.path,
    )


def _carry_out(options: argparse.Namespace, made: Made) -> Done:
    account = _account(options, made)
    try:
        try:
            begin(account)
            failed = ask(account)
        except KeyboardInterrupt as error:
            _clean_after(account, error)
        except SyncError:
            if not made.is_empty:
                tell(f"What was made so far is noted: start it again, and it goes on; or take it "
                     f"away by `{PROGRAM} probe {made.connection} --clean`")  # fmt: skip
            raise
        profile = profile_of(account, failed)
        changed, written = _changed(profile), _written(profile, failed)
        left = [] if options.keep else _cleaned(account, is_done=not failed)
        return Done(profile, failed, changed, left, written)
    finally:
        account.calls.close()


def _written(profile: AccountProfile, failed: dict[str, str]) -> str:
    """Write the profile, before what can still fail; but don't replace one by less."""
    if failed and _earlier(profile.connection) is not None:
        return ""
    return f"include/accounts/{write_profile(profile).name}"


def _cleaned(account: Account, *, is_done: bool) -> list[str]:
    tell("Cleaning up")
    left = [f"Left alone: {what}" for what in clean(account)]
    if is_done:
        account.made.forget()
    return left


def _clean_after(account: Account, error: KeyboardInterrupt) -> None:
    """Ctrl-C: take away what was made, then end; a second Ctrl-C ends at once."""
    tell("Stopped: cleaning up; its answers are kept for the next start")
    clean(account)
    raise Stopped(signal.Signals(error.args[0] if error.args else signal.SIGINT)) from None


def _clean_up(options: argparse.Namespace, made: Made | None, say: Say) -> int:
    if made is None:
        say(as_json({"left": []}) if options.json else "No earlier probe has left anything")
        return 0
    account = _account(options, made)
    try:
        left = clean(account)
    finally:
        account.calls.close()
    made.forget()
    said = "All that the probe made is gone"
    say(as_json({"left": left}) if options.json else "; left alone: ".join([said, *left]))
    return 1 if left else 0


def _account(options: argparse.Namespace, made: Made) -> Account:
    from contact_sync.airflow_edge.sendgrid_connection import open_raw  # a file that needs none

    calls = open_raw(options.connection)
    if options.record is not None:
        from contact_sync.probe.recording import Recording

        calls.listener = Recording(options.record, made).keep
    return Account(calls, made, say=tell)


def tell(text: str) -> None:
    """Say how far it is, beside the answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _summary(done: Done) -> str:
    known: dict[bool, list[str]] = {True: [], False: []}
    for code, found in done.profile.answers.items():
        known[found.is_known].append(f"  {code}: {found.answer} ({found.seen})")
    lines = [f"{len(known[True])} questions are answered:", *known[True]]
    if known[False]:
        lines += [f"{len(known[False])} are not:", *known[False]]
    lines += [*done.changed, *done.left]
    if done.failed:
        lines.append(f"{len(done.failed)} questions couldn't be asked to the end: start the probe "
                     f"again, and it goes on with them")  # fmt: skip
    if not done.written:
        return "\n".join([*lines, "The profile stays as it was until then"])
    uses = f"A definition relies on it by `account: {done.profile.connection}`"
    return "\n".join([*lines, f"Wrote {done.written}", uses])
