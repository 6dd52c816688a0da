"""Ask an account, part by part, and clean up: also what an earlier, killed probe has left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.account_questions import QUESTIONS, of_part
from contact_sync.base.errors import ConfigError, SyncError
from contact_sync.base.numbers import count
from contact_sync.config.account_profile import AccountProfile, Answer
from contact_sync.probe import calls_part, csv_part, export_part, jobs_part, json_part
from contact_sync.probe.account import FIELD_TYPES, MOST_ADDRESSES, Account, address_of
from contact_sync.probe.cleaning import check_account, clean
from contact_sync.probe.listing import custom_fields, lists

Ask = Callable[[Account, Set[str]], dict[str, Answer]]


@dataclass(frozen=True, slots=True)
class Part:
    """Some questions that are answered together. `ask`: takes the codes that are asked for."""

    name: str
    title: str
    ask: Ask


PARTS = (
    Part("key", "what the key may do", calls_part.ask_key),
    Part("fields", "how soon new fields can be used", calls_part.ask_fields),
    Part("calls", "how calls are answered", calls_part.ask_calls),
    Part("rates", "limits of calls", calls_part.ask_rates),
    Part("size", "how large an upsert may be", calls_part.ask_size),
    Part("jobs", "how long jobs take and what they do", jobs_part.ask),
    Part("json", "values in JSON upserts", json_part.ask),
    Part("csv", "values in a CSV import, and its errors file", csv_part.ask),
    Part("csv_ragged", "a CSV import with a row that lacks a cell", csv_part.ask_ragged),
    Part("export", "exports", export_part.ask),
)


def begin(account: Account) -> None:
    """Clean up after an earlier probe and see that nothing has this one's names and addresses.

    Raises ConfigError if something has: it isn't touched.
    """
    check_account(account)
    if not account.made.is_empty:
        account.say("Cleaning up what an earlier probe has left")
        clean(account)
    _check_free(account)
    account.made.save()


def _check_free(account: Account) -> None:
    made = account.made
    taken = []
    if made.list_name in lists(account.call):
        taken.append(f"a list {made.list_name!r}")
    there = {name.lower() for name in custom_fields(account.call)}
    names = [account.field_name(kind) for kind in FIELD_TYPES]
    taken += [f"a custom field {name!r}" for name in names if name in there]
    addresses = {address_of(made.pattern, made.token, n + 1) for n in range(MOST_ADDRESSES)}
    if found := account.look(sorted(addresses), note=False):
        taken.append(f"{count(len(found), 'contact')} with addresses of the pattern")
    if taken:
        raise ConfigError(
            f"The account has {', '.join(taken)} already, so the probe stops before it touches "
            f"them: give it other names by --list and --addresses, or delete them if they are left "
            f"of a probe"
        )


def ask(account: Account, codes: Collection[str] | None = None) -> dict[str, str]:
    """Ask what isn't answered yet, of these questions or all, and note each part's answers.

    Returns why questions have no answer: a part that fails doesn't stop the others. Raises what
    keeps the probe from beginning: without its list nothing can be asked.
    """
    made, why = account.made, dict[str, str]()
    account.list_id()
    wanted = set(QUESTIONS if codes is None else codes) - set(made.answers)
    parts = [(part, {q.code for q in of_part(part.name)} & wanted) for part in PARTS]
    todo = [(part, asked) for part, asked in parts if asked]
    for number, (part, asked) in enumerate(todo, start=1):
        account.say(f"[{number}/{len(todo)}] {part.title}: {len(asked)} questions")
        try:
            answers = part.ask(account, asked)
        except SyncError as error:
            account.say(f"  no answer: {error}")
            why |= dict.fromkeys(asked, str(error))
            continue
        for code in sorted(asked & answers.keys()):
            found = _possible(code, answers[code])
            made.answers[code] = (found.answer, found.seen)
        made.save()
    return why


def _possible(code: str, found: Answer) -> Answer:
    """An answer that nobody thought of isn't one of the question's."""
    if QUESTIONS[code].allows(found.answer):
        return found
    return Answer(OTHER, f"{found.seen} ({found.answer})")


def profile_of(account: Account, why: Mapping[str, str] = MappingProxyType({})) -> AccountProfile:
    """What has been answered so far; `why`: of the other questions, as `ask` says."""
    made = account.made
    seen_on = datetime.fromtimestamp(account.clock.now(), UTC).date()
    found = {code: Answer(UNSEEN, reason) for code, reason in why.items()}
    found |= {code: Answer(*given) for code, given in made.answers.items()}
    answers = {code: found[code] for code in QUESTIONS if code in found}
    return AccountProfile(made.connection, seen_on, answers)
