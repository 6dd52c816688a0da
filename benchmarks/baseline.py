"""The baseline: the same sync as one would write it by hand in an afternoon. One file, no state.

`pandas.read_sql`, a function applied to each row, `requests` with JSON batches: everybody is sent,
every time. It's a fair one: the same query and mapping, the same contacts in the end, the same
libraries for addresses and phone numbers, a session that keeps its connection. What it leaves out
is what a script leaves out: jobs aren't followed, nothing is remembered.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import email_validator
import pandas as pd
import phonenumbers
import regex
import requests
import sqlalchemy

from benchmarks.target import Target, answer, extraction_query, read_target

BATCH = 5_000  # contacts of a request; 30,000 would be more than the 4 MB that SendGrid takes
LIMITS = {
    "first_name": 50,
    "last_name": 50,
    "address_line_1": 100,
    "address_line_2": 100,
    "city": 60,
    "state": 50,
    "postal_code": 50,
    "country": 50,
}
RENAMED = {"state": "state_province_region"}
CUSTOM = {
    "status": "Status",
    "client_type": "Client_type",
    "verification_level": "Verification_level",
    "jurisdiction": "Jurisdiction",
}


def main() -> None:
    """Read all, transform row by row, send all."""
    target = read_target()
    engine = sqlalchemy.create_engine(target.b2core_url.replace("://", "+psycopg2://", 1))
    with engine.connect() as connection:
        frame = pd.read_sql(extraction_query(), connection)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {target.api_key}"
    fields = custom_fields(session, target)
    frame["contact"] = frame.apply(contact, axis=1, fields=fields)  # type: ignore[call-overload]
    good = frame[frame["contact"].map(type) == dict].sort_values("client_id")  # noqa: E721
    bad = frame[frame["contact"].map(type) == str]  # noqa: E721
    emails = good["contact"].map(lambda item: item["email"])
    good = good[~emails.duplicated(keep="last")]  # the newest client has a shared address
    send(session, target, good["contact"].tolist())
    rejected = dict(zip(bad["client_id"].tolist(), bad["contact"].tolist(), strict=True))
    answer(rows=len(frame), sent=len(good), rejected=rejected)


def custom_fields(session: requests.Session, target: Target) -> dict[str, str]:
    """Column → id of the custom field."""
    found = session.get(f"{target.sendgrid_url}/v3/marketing/field_definitions", timeout=30).json()
    ids = {field["name"]: field["id"] for field in found["custom_fields"]}
    return {column: ids[name] for column, name in CUSTOM.items()}


def contact(row: Any, fields: dict[str, str]) -> dict[str, Any] | str:
    """SendGrid's contact of a row, or why there is none."""
    raw = unicodedata.normalize("NFC", value_of(row["email"])).strip().lower()
    email = address(raw)
    if email is None:
        return "invalid" if raw else "missing"
    found: dict[str, Any] = {"email": email}
    for column, limit in LIMITS.items():
        if value := text(value_of(row[column]), limit):
            found[RENAMED.get(column, column)] = value
    if phone := phone_number(value_of(row["phone"]), value_of(row["country_code"])):
        found["phone_number"] = phone
    custom = {id_: text(value_of(row[column]), 1000) for column, id_ in fields.items()}
    found["custom_fields"] = {id_: value for id_, value in custom.items() if value}
    return found


def value_of(cell: Any) -> str:
    """A cell's text; pandas has None or NaN for NULL."""
    return cell if isinstance(cell, str) else ""


def address(email: str) -> str | None:
    """The address as SendGrid keys it, or None if it isn't one."""
    try:
        checked = email_validator.validate_email(
            email, check_deliverability=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError:
        return None
    found = checked.ascii_email
    return found if found and len(found) <= 254 and found.index("@") <= 64 else None


def text(value: str, limit: int) -> str:
    """One trimmed line of at most `limit` code points, cut between graphemes."""
    value = " ".join(unicodedata.normalize("NFC", value).split())
    if len(value) <= limit:
        return value
    kept = ""
    for grapheme in regex.findall(r"\X", value):
        if len(kept) + len(grapheme) > limit:
            break
        kept += grapheme
    return kept.rstrip()


def phone_number(value: str, country_code: str) -> str:
    """The number in E.164, or nothing."""
    number = re.sub(r"[\s\-.()/]", "", value)
    number = f"+{number[2:]}" if number.startswith("00") else number
    try:
        parsed = phonenumbers.parse(number, country_code or None)
    except phonenumbers.NumberParseException:
        return ""
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def send(session: requests.Session, target: Target, contacts: list[dict[str, Any]]) -> None:
    """Upsert everybody, and put them on the first list."""
    lists = session.get(f"{target.sendgrid_url}/v3/marketing/lists", timeout=30).json()["result"]
    for start in range(0, len(contacts), BATCH):
        body = {"list_ids": [lists[0]["id"]], "contacts": contacts[start : start + BATCH]}
        response = session.put(
            f"{target.sendgrid_url}/v3/marketing/contacts",
            data=json.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        response.raise_for_status()


if __name__ == "__main__":
    main()
