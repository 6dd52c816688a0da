"""What became of one value: from a contact before and after to an answer's code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contact_sync.base.account_question import OTHER, UNSEEN
from contact_sync.base.account_questions import QUESTIONS
from contact_sync.config.account_profile import Answer

BEFORE, AFTER = "before", "after"
"""The last name of a test contact; it tells whether its row was taken."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question about one value.

    `where`: the field, `text`, `number` or `date` for the custom ones. `before`: what the contact
    has there at first, None = nothing. `sent`: what is sent then; a cell's text for a CSV file.
    `stored`: how that is read back, if not as it was sent.
    """

    code: str
    where: str
    before: Any
    sent: Any
    stored: Any = None

    @property
    def custom(self) -> bool:
        """Whether the field is one of the probe's own."""
        return self.where in ("text", "number", "date")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of it: the refusal's status or None, the contact or None, and whether its row
    was reported; None = that can't be told."""

    refused: int | None
    contact: Mapping[str, Any] | None
    reported: bool | None


def value_of(contact: Mapping[str, Any], where: str, names: Mapping[str, str]) -> Any:
    """A field's value as it is read; None for an empty one. `names`: of the custom fields."""
    custom = contact.get("custom_fields")
    if where in names:
        found = custom.get(names[where]) if isinstance(custom, dict) else None
    else:
        found = contact.get(where)
    return None if found in ("", [], None) else found


def outcome(case: Case, seen: Seen, names: Mapping[str, str]) -> Answer:
    """The answer to a case's question."""
    code, said = _code(case, seen, names)
    possible = QUESTIONS[case.code].answers
    if code not in possible and code != UNSEEN:
        return Answer(OTHER, f"{said} ({code})")
    return Answer(code, said)


def _code(case: Case, seen: Seen, names: Mapping[str, str]) -> tuple[str, str]:
    if seen.refused is not None:
        return "call" if seen.refused == 400 else str(seen.refused), f"refused by {seen.refused}"
    told = {True: "its row was reported", False: "nothing was reported", None: "no report"}
    said = told[seen.reported]
    if seen.contact is None or seen.contact.get("last_name") != AFTER:
        # Only what was reported is known to be lost: a row may come later, or get lost by chance.
        return "row" if seen.reported else UNSEEN, f"accepted; the row had no effect, {said}"
    value = value_of(seen.contact, case.where, names)
    wanted = case.sent if case.stored is None else case.stored
    if value == case.before:
        return _kept(seen, said)
    return _changed(value, wanted, said)


def _changed(value: Any, wanted: Any, said: str) -> tuple[str, str]:
    if value is None:
        return "clear", f"accepted; the field is empty, {said}"
    if value == wanted:
        return "stored", f"accepted; it is read back as it was sent, {said}"
    if isinstance(value, str) and isinstance(wanted, str) and wanted.startswith(value):
        return "cut", f"accepted; the first {len(value)} characters are read back, {said}"
    return "changed", f"accepted; another value is read back, {said}"


def _kept(seen: Seen, said: str) -> tuple[str, str]:
    said = f"accepted; the row's other values are stored, this field is as before, {said}"
    if seen.reported is None:
        return UNSEEN, said
    return "value" if seen.reported else "keep", said
