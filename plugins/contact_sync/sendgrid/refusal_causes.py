"""Tell apart why SendGrid refuses a request: the set-up, its size, or a contact. Pure.

What isn't known for a fault of the set-up may be a contact's: such a request is cut in two until
the contacts are found. The words are those of public reports and of the API's description; no list
of SendGrid's messages exists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto

from contact_sync.base.errors import RequestRefused
from contact_sync.base.plain_reasons import ADDRESS, QUOTED
from contact_sync.sendgrid.refused_contacts import Complaint


class Cause(Enum):
    """What a refusal is due to."""

    SETUP = auto()
    """The key, the list, the plan, or how the request was made: no contact changes it."""
    UNKNOWN_FIELD = auto()
    """A field that SendGrid doesn't know, or not yet: it refuses a new one for some seconds."""
    TOO_LARGE = auto()
    """The request has too many bytes or contacts."""
    CONTACTS = auto()
    """One or more of the contacts, named or not."""


ABOUT_CONTACTS = (400, 409, 413, 422)
"""Statuses by which SendGrid may mean a contact."""

_FIELD = re.compile(
    r"invalid (?:custom )?field ids?|unknown (?:custom )?fields?\b|no such (?:custom )?field"
    r"|\bfields?(?: ids?)?(?: \S+)? (?:(?:does|do) not exist|(?:does|do)n't exist|not found)"
)
_LIST = re.compile(
    r"\blists?(?: ids?)?(?: \S+)? (?:(?:does|do) not exist|(?:does|do)n't exist|not found|"
    r"(?:is|are) not valid|(?:is|are) invalid)|(?:invalid|unknown|no such|missing) list"
)
_PLAN = re.compile(
    r"contacts? limit|limit (?:of|on|for) (?:your )?contacts"
    r"|\b(?:your|the|upgrade|current) plan\b(?! field)"
    r"|\bbilling\b|\bcredits\b|\bcredit (?:limit|balance)|\bquota\b"
    r"|account (?:is )?(?:suspended|disabled|under review)"
)
_PERMISSION = re.compile(
    r"\bscopes?\b|permission|\bforbidden\b(?! (?:char|word|value|sign|symbol|text))|access denied"
    r"|api key|\b(?:not |un)authori[sz]ed\b(?! (?:char|word|value))|\bauthori[sz]ation\b"
)
_FORM = re.compile(r"content-?type|method not allowed|unsupported media")
_SIZE = re.compile(
    r"(?:request|body|payload|message|entity|content)(?: \S+){0,3}? (?:too (?:large|long|big)|"
    r"larger than|exceed\w*|over the)|entity ?too ?large|"
    r"max(?:imum)? (?:request|body|payload|message)(?: body)? size|"
    r"at most \d+ contacts|too many contacts|resource_?exhausted|^too large$"
)
_PART_OF_A_CONTACT = re.compile(
    r"\bcontacts?\[|\b(?:(?:first|last)_name|address_line_[12]|city|country|postal_code"
    r"|state_province_region|phone_number|alternate_emails|custom_fields|[a-z]+\d+_[tnd])\b"
)
"""A contact's place, or a field that one has: what is said of them is no fault of the set-up, in
whatever words ("first_name contains forbidden characters")."""
_PLACES_OF_SETUP = re.compile(r"(?:list_ids|file_type|field_mappings)\b")


def cause_of(error: RequestRefused, found: Sequence[Complaint]) -> Cause:
    """The cause of a refused upsert, of which `found` is what SendGrid said."""
    if error.status not in ABOUT_CONTACTS:
        return Cause.SETUP
    if any(_FIELD.search(_unquoted(complaint)) for complaint in found):
        return Cause.UNKNOWN_FIELD
    about_none = [complaint for complaint in found if not complaint.is_about_a_contact]
    if any(_setup_fault(one) for one in about_none if not _is_of_a_contact(one)):
        return Cause.SETUP
    if error.status == 413 or any(_SIZE.search(_unquoted(one)) for one in about_none):
        return Cause.TOO_LARGE
    return Cause.CONTACTS


def is_unknown_field(said: str) -> bool:
    """Whether a row's reason says that SendGrid doesn't know a field."""
    return _FIELD.search(_unquoted(Complaint(said, ""))) is not None


def advice(error: RequestRefused, found: Sequence[Complaint]) -> str:
    """What a refusal by the set-up is due to, and what to do about it, in one sentence."""
    known = (_setup_fault(complaint) for complaint in found)
    told = next(filter(None, known), None)
    if told is None and error.status == 404 and error.is_json:
        told = _LIST_GONE
    return told or "no contact is the cause: look at what SendGrid says, or at a proxy on the way"


_LIST_GONE = (
    "the list doesn't exist any more: create it in SendGrid, or name another one in the definition"
)
_ADVICE = (
    (_LIST, _LIST_GONE),
    (_PLAN, "the account's plan doesn't allow it: see its contact limit and its billing"),
    (_PERMISSION, "the API key lacks permission; it needs Marketing: Full Access"),
    (_FORM, "this is a defect of the sync: SendGrid doesn't take the form of its requests"),
)


def _setup_fault(complaint: Complaint) -> str | None:
    said = _unquoted(complaint)
    for pattern, told in _ADVICE:
        if pattern.search(said):
            return told
    if complaint.where.startswith("list_ids"):
        return _LIST_GONE
    return "the fields or the form of the import" if _is_place(complaint) else None


def _is_place(complaint: Complaint) -> bool:
    return _PLACES_OF_SETUP.match(complaint.where) is not None


def _is_of_a_contact(complaint: Complaint) -> bool:
    """Whether it names a part of a contact, although it doesn't tell of whose."""
    said = f"{complaint.where.lower()} {_unquoted(complaint)}"
    return not _is_place(complaint) and _PART_OF_A_CONTACT.search(said) is not None


def _unquoted(complaint: Complaint) -> str:
    return " ".join(ADDRESS.sub("…", QUOTED.sub("…", complaint.said)).lower().split())
