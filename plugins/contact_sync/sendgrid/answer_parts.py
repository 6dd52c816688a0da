"""Take what is needed out of SendGrid's answers. Whatever is missing, or of another kind than the
API's description says, is told in one sentence; nothing is concluded from it.

`null` stands for an empty list or object, as services write it whose language has no difference
(Go's nil slices and maps), but never for the account's reserved fields, which every account has.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from contact_sync.base.errors import FateUnknown, RetryableError

MOST = 1_000_000_000
"""No job is about more contacts."""
_JOB_ID = re.compile(r"[!-~]{1,200}")  # UUIDs so far
_KINDS = {
    dict: "an object", list: "a list", str: "a text", bool: "true or false",
    int: "a number", float: "a number", type(None): "null",
}  # fmt: skip
_Part = TypeVar("_Part")


def part(answer: dict[str, Any], key: str, kind: type[_Part], what: str) -> _Part:
    """What an answer must hold under a key; null is an empty one. `what`: the call, for messages.

    Raises RetryableError.
    """
    found = answer.get(key)
    if isinstance(found, kind):
        return found
    if found is None and key in answer and kind in (list, dict):
        return kind()
    has = _KINDS.get(type(found), "something else") if key in answer else "nothing"
    raise RetryableError(
        f"{what}: SendGrid's answer doesn't hold what it should: {has} as {key!r} in place of "
        f"{_KINDS[kind]}"
    )


def objects(answer: dict[str, Any], key: str, what: str) -> list[dict[str, Any]]:
    """A list of objects that an answer must hold. Raises RetryableError."""
    items = part(answer, key, list, what)
    for item in items:
        if not isinstance(item, dict):
            kind = _KINDS.get(type(item), "something else")
            raise RetryableError(
                f"{what}: SendGrid's answer doesn't hold what it should: {kind} among the objects "
                f"in {key!r}"
            )
    return items


def text(item: dict[str, Any], key: str, what: str) -> str:
    """A text that an object must hold and that isn't empty. Raises RetryableError."""
    found = item.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)  # ids of SendGrid's older services are numbers
    if not part(item, key, str, what):
        raise RetryableError(f"{what}: SendGrid's answer has an empty {key!r}")
    return str(found)


def optional_text(item: dict[str, Any], key: str) -> str:
    """A text that an object may hold, or ""."""
    found = item.get(key)
    return found if isinstance(found, str) else ""


def count(results: dict[str, Any], key: str) -> int:
    """A count of a job. What is no possible count is as one that is left out: 0."""
    found = results.get(key)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 15:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0
    return int(found) if 0 <= found <= MOST else 0  # NaN is in no range


def queued_job(answer: dict[str, Any], what: str) -> str:
    """The id of the job that a call has queued. Raises FateUnknown: the call was accepted."""
    found = answer.get("job_id")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if isinstance(found, str) and _JOB_ID.fullmatch(found):
        return found
    given = "one that can't be one" if found else "no job id"
    raise FateUnknown(f"{what}: SendGrid accepted the call but gave {given}")
