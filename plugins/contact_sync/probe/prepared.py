"""Test contacts in the state that a question begins with: sent, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from contact_sync.base.account_question import UNSEEN
from contact_sync.config.account_profile import Answer
from contact_sync.probe.account import Account
from contact_sync.probe.outcome import BEFORE, Case, value_of

UNPREPARED = Answer(UNSEEN, "its contact doesn't have the value that it needs at first")


def prepared(
    account: Account,
    cases: Iterable[Case],
    contact_of: Callable[[Case], dict[str, Any]],
    names: Mapping[str, str],
) -> list[Case]:
    """The cases whose contact is as it must be at first, with its value as it is read back.

    `names`: of the custom fields. Raises RetryableError.
    """
    wanted = list(cases)
    account.sent([contact_of(case) for case in wanted])
    account.settle()
    found = account.look(account.address(case.code) for case in wanted)
    ready = []
    for case in wanted:
        contact = found.get(account.address(case.code), {})
        value = value_of(contact, case.where, names)
        if contact.get("last_name") == BEFORE and (value is None) == (case.before is None):
            ready.append(replace(case, before=value))
    return ready
