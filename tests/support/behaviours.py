"""Accounts that behave in chosen ways, for the closed loop: the emulator is switched, and the probe
has to say how.

What is chosen is a question's answer; `local/sendgrid_emulator/model/profile.py` knows the switches
for it, and `expected` what a probe can see when several of them come together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from contact_sync.base.account_question import UNSEEN
from contact_sync.base.account_questions import of_part
from local.sendgrid_emulator.model.profile import ANSWERS, NO_SETTING, settings_of

Answer = str | int
Account = dict[str, Answer]
FAR, NEAR = 30, 3
"""Seconds that a time may be told too long and too short: on a busy machine a probe polls more
often, and only its polls move the clock."""
GRAIN = 64_000
NUMBERS: Mapping[str, tuple[int, ...]] = {
    "json_limit": (700_000, 300_000),
    "job_seconds": (0, 40),
    "field_seconds": (0, 40),
    "search_lag": (0, 40),
    "count_lag": (0, 40),
    "errors_seconds": (3_600, 600),
    "export_seconds": (43_200, 259_200),
    "rate_limit": (40,),
}
MEASURED = {
    "json_limit": (GRAIN, 0),
    **dict.fromkeys(("job_seconds", "field_seconds", "search_lag", "count_lag"), (NEAR, FAR)),
}
"""By how much an answer may be too low and too high."""
OF_FILE = ("errors_layout", "errors_separator", "errors_encoding", "errors_packed")


def behaviours(code: str) -> tuple[Answer, ...]:
    """The answers to a question that the emulator can be switched to."""
    if code in NO_SETTING:
        return ()
    return NUMBERS[code] if code in NUMBERS else tuple(ANSWERS[code])


def questions_of(part: str) -> list[str]:
    """The questions of a part that the emulator can be switched for."""
    return [question.code for question in of_part(part) if behaviours(question.code)]


def is_possible(account: Account) -> bool:
    """Whether one emulator can behave in all of these ways: a bad value loses its row or not."""
    return not settings_of(account)[1]


def covering(codes: Iterable[str], strength: int) -> list[Account]:
    """Accounts in which every `strength` behaviours of different questions come together, where
    that is possible; greedy, so not the fewest."""
    asked = list(codes)
    missing = dict.fromkeys(_tuples(asked, min(strength, len(asked))))
    accounts: list[Account] = []
    while missing:
        account = dict(next(iter(missing)))
        for code in asked:
            if code not in account:
                account[code] = _best(account, code, missing)
        accounts.append(account)
        for wanted in [one for one in missing if dict(one).items() <= account.items()]:
            del missing[wanted]
    return accounts


Chosen = tuple[tuple[str, Answer], ...]


def _tuples(asked: list[str], strength: int) -> Iterator[Chosen]:
    for codes in combinations(asked, strength):
        found: list[Chosen] = [()]
        for code in codes:
            found = [(*one, (code, answer)) for one in found for answer in behaviours(code)]
        yield from (one for one in found if is_possible(dict(one)))


def _best(account: Account, code: str, missing: Mapping[Chosen, None]) -> Answer:
    """The possible answer that brings together most of what is missing."""
    possible = [a for a in behaviours(code) if is_possible(account | {code: a})]

    def new(answer: Answer) -> int:
        whole = (account | {code: answer}).items()
        return sum((code, answer) in one and dict(one).items() <= whole for one in missing)

    return max(possible, key=new)


def expected(account: Account) -> dict[str, Callable[[Answer], bool]]:
    """What a probe may answer about an account, by question."""
    return {code: _allowed(account, code, answer) for code, answer in account.items()}


def _allowed(account: Account, code: str, answer: Answer) -> Callable[[Answer], bool]:
    if _is_hidden(account, code):
        return lambda seen: seen == UNSEEN
    if code.startswith("csv_") and answer in ("keep", "value") and not _has_file(account):
        # Without the file nobody knows which row was reported.
        return lambda seen: seen in (answer, UNSEEN)
    if isinstance(answer, int) and code in MEASURED:
        short, long = MEASURED[code]
        return lambda seen: isinstance(seen, int) and answer - short <= seen <= answer + long
    return lambda seen: seen == answer


def _is_hidden(account: Account, code: str) -> bool:
    """Whether what the account does elsewhere keeps this from being seen."""
    if code in OF_FILE or code == "errors_seconds":
        no_address = account.get("errors_file") == "none"
        return (
            no_address
            or (code in OF_FILE and not _has_file(account))
            or (code == "errors_separator" and str(account.get("errors_layout")).startswith("json"))
        )
    return False


def _has_file(account: Account) -> bool:
    return account.get("errors_file", "served") == "served"
