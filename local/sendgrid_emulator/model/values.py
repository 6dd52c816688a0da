"""Check and convert single values of a row, as SendGrid does when the job runs.

A parser takes what was sent and returns what is stored, or raises RowError with the reason. CSV
cells and JSON values differ: JSON has types, and a wrong one loses the row [K nodejs#953].
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from local.numbering_plans import exists
from local.sendgrid_emulator.model.clock import iso
from local.sendgrid_emulator.model.fields import FieldDefinition
from local.sendgrid_emulator.model.settings import Settings

Value = str | float | int | tuple[str, ...] | None  # None: not set
Parser = Callable[[Any], Value]

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# ASCII only, no quoted local part: "valid email" is not defined anywhere, so be narrow [I].
EMAIL_ADDRESS = re.compile(
    rf"(?=[^@]{{1,64}}@){ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+(?=[A-Za-z])[A-Za-z0-9-]{{2,63}}(?<!-)"
)
MAX_EMAIL = 254
US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")  # the four forms of Formatting a CSV
ISO_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?", re.ASCII
)
MAX_DECIMALS = 2  # Formatting a CSV
ANY_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
SEGMENTATION_LENGTHS = {"country": 55, "postal_code": 60, "phone_number": 24, "whatsapp": 254}
MAX_NUMBER_DIGITS = 309  # sendgrid/docs, pull request 2954
EXACT_WHOLE = 2**53
MAX_WHOLE = 2**63  # beyond it a whole number is answered as a double
SHARED_STRINGS = 4096

TYPE_MISMATCH = "Import error, field type does not match"  # nodejs#953, n8n#3058
NUMBER_ERROR = "Float type conversion error"  # Formatting a CSV


class RowError(Exception):
    """A row that SendGrid accepts and later reports, with the reason."""


def is_email(address: str) -> bool:
    """Return whether an address passes for one."""
    return len(address) <= MAX_EMAIL and EMAIL_ADDRESS.fullmatch(address) is not None


def email_parser(address: Any) -> Value:
    """Return the address as it is stored, in lower case [K API description]."""
    if not is_email(address):
        raise RowError(f"email '{address}' is not valid")
    return str(address).lower()


def phone_parser(number: Any) -> Value:
    """Accept numbers in E.164 that exist; a bad one loses its row [K recording 2021]."""
    if not isinstance(number, str) or not exists(number):
        raise RowError(f"phone number '{number}' is not valid")
    return number


def longest_text(field: FieldDefinition, settings: Settings) -> int:
    """Return how many characters a text field takes, by the page that the settings believe."""
    reserved = field.id.startswith("_rf")
    if reserved and settings.lengths == "segmentation":
        return SEGMENTATION_LENGTHS.get(field.name, field.max_length)
    return field.max_length


def text_parser(field: FieldDefinition, settings: Settings) -> Parser:
    """Return a parser of texts that keeps one copy of values that come again and again."""
    longest, truncate = longest_text(field, settings), settings.long_values == "truncate"
    shared: dict[str, str] = {}

    def parse(text: Any) -> Value:
        if not isinstance(text, str):
            raise RowError(f"{TYPE_MISMATCH}: {field.name}")
        if len(text) > longest:
            if not truncate:
                raise RowError(f"{field.name} is longer than {longest} characters")
            text = text[:longest]
        known = shared.get(text)
        if known is not None:
            return known
        if len(shared) < SHARED_STRINGS:
            shared[text] = text
        return str(text)

    return parse


def cell_number_parser(settings: Settings) -> Parser:
    """Return a parser of numbers in CSV cells."""
    usual = "refuse" if settings.csv_numbers == "docs" else "accept"
    negatives, decimals = (
        usual if mode == "as numbers" else mode
        for mode in (settings.csv_negatives, settings.csv_decimals)
    )

    def parse(cell: str) -> Value:
        refused = (
            len(cell) > MAX_NUMBER_DIGITS
            or ANY_NUMBER.fullmatch(cell) is None
            or (negatives == "refuse" and cell.startswith("-"))
            or (decimals == "refuse" and len(cell.partition(".")[2]) > MAX_DECIMALS)
        )
        if refused:
            raise RowError(f"{NUMBER_ERROR}: '{cell}'")
        number = float(cell)
        whole = number.is_integer() and "." not in cell and abs(number) < MAX_WHOLE
        if not whole:
            return number
        if settings.long_numbers == "error" and abs(number) > EXACT_WHOLE:
            raise RowError(f"{NUMBER_ERROR}: '{cell}'")
        return int(cell) if settings.long_numbers == "exact" else int(number)

    return parse


def json_number_parser(number: Any) -> Value:
    """Accept JSON numbers only: a number in quotes loses the row [K nodejs#953]."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise RowError(TYPE_MISMATCH)
    return number


def date_parser(*, iso_too: bool) -> Parser:
    """Return a parser of dates; the day is kept as midnight UTC, fractions are dropped [K]."""

    def parse(text: Any) -> Value:
        if not isinstance(text, str):
            raise RowError(TYPE_MISMATCH)
        try:
            us_date = US_DATE.fullmatch(text)
            if us_date is not None:
                month, day, year = map(int, us_date.groups())
                return f"{date(year, month, day)}T00:00:00Z"
            if iso_too and ISO_DATE.fullmatch(text):
                moment = datetime.fromisoformat(text)
                return text if len(text) == 20 else utc_second(moment)
        except ValueError as error:
            raise RowError(f"date '{text}' is not valid") from error
        raise RowError(f"date '{text}' is not valid")

    return parse


def utc_second(moment: datetime) -> str:
    """Return a moment in UTC without fractions; one without an offset is UTC already."""
    return iso((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def field_parser(field: FieldDefinition, settings: Settings, *, from_csv: bool) -> Parser:
    """Return the parser of a writable field, which also refuses what the settings say."""
    parser = _parser(field, settings, from_csv=from_csv)
    if field.name not in settings.refused_values or settings.refused_values_by != "row":
        return parser

    def parse(value: Any) -> Value:
        if settings.refuses(field.name, value):
            raise RowError(settings.words_about(field.name, field.id, value, ""))
        return parser(value)

    return parse


def _parser(field: FieldDefinition, settings: Settings, *, from_csv: bool) -> Parser:
    if field.name == "email":
        return email_parser
    if field.name in ("phone_number", "phone_number_id") and field.id.startswith("_rf"):
        return phone_parser
    if field.field_type == "Number":
        return cell_number_parser(settings) if from_csv else json_number_parser
    if field.field_type == "Date":
        return date_parser(iso_too=not from_csv or settings.csv_dates == "us_and_iso")
    return text_parser(field, settings)
