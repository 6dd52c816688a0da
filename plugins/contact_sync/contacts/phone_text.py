"""Read one phone number as people type it. Pure.

libphonenumber judges plain digits with at most a plus in front: nothing else is handed to it. It
would turn letters into digits, join two numbers into a third one, and take exponential time for
some texts (`;phone-context=`). What of a text is the number is decided here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address
from traceback import clear_frames
from typing import Final

import phonenumbers
import regex
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from contact_sync.base.vocabulary import ValueProblem
from contact_sync.contacts.phone_patterns import MAX_DIGITS

MAX_TEXT = 250  # characters; no number is longer, with all that may stand around it
FEWEST_DIGITS = 7  # of a number that stands beside another one


@dataclass(frozen=True, slots=True)
class Phone:
    """What a text says: a number in E.164, or the reason why it is none."""

    e164: str | None = None
    reason: ValueProblem | None = None


_LABEL = regex.compile(
    r"^(?:(?:tel|callto|sms):(?://)?"
    r"|(?:telephone|telefon|phone|mobile|mobil|handy|cell|tel|mob|тел|моб|[tmp])(?=[\s.:+])[\s.:]*)",
    regex.IGNORECASE,
)
_EXTENSION = regex.compile(
    r"(?<=\d[\s)]*)[\s,;]*(?:(?:;ext=|extension|extn|ext|доб|int|interno|anexo|poste|durchwahl|dw|x|#)"
    r"[\s.:=]*)\d{1,9}#?$",
    regex.IGNORECASE,
)
_OR = regex.compile(r"(?<=[\d)])\s+(?:or|oder|ou|und|and|или|&)\s+(?=[\d+(])", regex.IGNORECASE)
_REMARK = regex.compile(r"^([^\p{L}]*\d\)?)[\s(\[,][^\d]*$")
_NUMBER = regex.compile(r"[\d+\-.()\[\]/\s]+")
_DATE = regex.compile(r"(?:(?:19|20)\d\d([-./])\d\d?\1\d\d?|\d\d?([-./])\d\d?\2(?:19|20)\d\d)")
_FLOAT = regex.compile(r"\s*(\+?\d{7,15})\.0+\s*")  # a table's number that became a decimal
_NO_DIGIT = regex.compile(r"\D")
_SPACE, _GAP = regex.compile(r"\s+"), regex.compile(r"(?<=\d)\D+(?=\d)")
_SEPARATORS = regex.compile(r"[;,|\n]|(?<=\d[^\d+]*)(?=\+)")
_VARIATION_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x1810)}
_QUOTES = " '\"`\u00b4\u2018\u2019\u201c\u201d"
_OTHER_DASHES = "\u2212\u30fc\u207b"  # minus, the Japanese long sound, superscript minus
_TOO_FEW: Final = (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


@lru_cache(maxsize=10_000)
def read_phone(text: str, region: str | None, *, known_region: bool = True) -> Phone:
    """The number in a text, if it is valid for its country by libphonenumber's rules.

    Of two numbers it is the first, or none. `region`: the alpha-2 code of the country that a
    national number belongs to; `known_region` = False: there is a code, but of no country.
    """
    if len(text) > MAX_TEXT:
        return Phone(reason=ValueProblem.NUMBER_TOO_LONG)
    plain = _plain(text)
    if whole := _FLOAT.fullmatch(plain):
        plain = whole.group(1)
    if "phone-context" in plain.lower():
        return Phone(reason=ValueProblem.NO_COUNTRY)
    plain = _OR.sub(";", _EXTENSION.sub("", _LABEL.sub("", plain).strip()).strip())
    if remark := _REMARK.match(plain):
        plain = remark.group(1)
    parts = [part.strip() for part in _SEPARATORS.split(plain)]
    parts = [part for part in parts if any(map(str.isdecimal, part))]
    if not parts or not all(map(_may_be_number, parts[:1])):
        return Phone(reason=ValueProblem.NO_NUMBER)
    found = _first_of(parts[0], region)
    if found.e164 is None and len(parts) > 1:
        return Phone(reason=ValueProblem.TWO_NUMBERS)
    if found.reason is ValueProblem.NO_COUNTRY and not known_region:
        return Phone(reason=ValueProblem.UNKNOWN_COUNTRY)
    return found


def _plain(text: str) -> str:
    """ASCII digits, plus, dashes and spaces for what looks like them, and nothing invisible."""
    return "".join(map(_plain_character, text)).strip(_QUOTES)


@lru_cache(maxsize=1_000)
def _plain_character(char: str) -> str:
    kind = unicodedata.category(char)
    if char == "\n":
        return char
    if kind == "Nd":
        return str(unicodedata.digit(char))
    if kind == "Cf" or ord(char) in _VARIATION_SELECTORS:
        return ""
    if kind == "Pd" or char in _OTHER_DASHES:
        return "-"
    if kind in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    return char if kind == "No" else unicodedata.normalize("NFKC", char)  # ² is no digit 2


def _may_be_number(text: str) -> bool:
    """Whether the text is digits and what people write between them, and no date or IP address."""
    if not _NUMBER.fullmatch(text) or _DATE.fullmatch(text) or text.rfind("+") > text.find("+"):
        return False
    groups = text.split(".")
    if len(groups) != 4 or len({len(group) for group in groups}) == 1:
        return True
    try:
        IPv4Address(text)
    except AddressValueError:
        return True
    return False


def _first_of(text: str, region: str | None) -> Phone:
    """The number of a text without separators, unless it holds two that only a space or a slash
    keeps apart."""
    before, slash, _ = text.partition("/")
    if slash and (first := _judged(before, region)).e164:
        return first
    whole = _judged(text, region)
    halves = _pairs(text, list(_SPACE.finditer(text)), halves_only=True)
    firsts = _firsts(halves, region)
    if whole.e164 is None:  # the middle decides only if no other place could
        others = _firsts(_pairs(text, list(_GAP.finditer(text))), region)
        if halves or others:
            sure = len(firsts) == 1 and others == firsts
            return Phone(firsts.pop()) if sure else Phone(reason=ValueProblem.TWO_NUMBERS)
    return Phone(reason=ValueProblem.TWO_NUMBERS) if firsts else whole


def _firsts(pairs: list[tuple[str, str]], region: str | None) -> set[str]:
    """The first numbers of pairs of numbers."""
    read = [[_judged(part, region).e164 for part in pair] for pair in pairs]
    return {first for first, second in read if first and second}


def _pairs(
    text: str, gaps: list[regex.Match[str]], *, halves_only: bool = False
) -> list[tuple[str, str]]:
    """What stands before and behind each of the gaps (or behind as many groups as before it), if
    both may be numbers."""
    if halves_only:
        gaps = gaps[len(gaps) // 2 :][: len(gaps) % 2]
    pairs = [(text[: gap.start()], text[gap.end() :]) for gap in gaps]
    return [pair for pair in pairs if all(_digits_in(part) >= FEWEST_DIGITS for part in pair)]


def _digits_in(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _judged(text: str, region: str | None) -> Phone:
    """One number, read as it stands, and if that is none as people write it by mistake."""
    found = Phone(reason=ValueProblem.NO_COUNTRY)
    for number, home in _readings(text, region):
        read = _valid(number, home)
        if read.e164:
            return read
        if found.reason is ValueProblem.NO_COUNTRY:
            found = read
    return found


def _readings(text: str, region: str | None) -> Iterator[tuple[str, str | None]]:
    """What a text may mean, the likeliest first: a number, and the region that it is dialled in."""
    plus = "+" if text.lstrip(" ([").startswith("+") else ""
    digits = _NO_DIGIT.sub("", text)
    if plus:
        digits = digits.removeprefix("00")
    yield plus + digits, region
    if "(0)" in text:  # a trunk zero in a country that has none
        yield plus + _NO_DIGIT.sub("", text.replace("(0)", "", 1)), region
    if not plus and digits.startswith(_calling_code(region)):  # as some export it, without +
        yield f"+{digits}", None
    if not plus and digits.startswith("00"):  # dialled as from most countries
        yield f"+{digits[2:]}", None


def _calling_code(region: str | None) -> str:
    """The calling code of a region; of none, what no number begins with."""
    return str(phonenumbers.country_code_for_region(region)) if region else "+"


def _valid(number: str, region: str | None) -> Phone:
    """Digits with at most a plus in front, as the library reads and judges them."""
    if region is None and not number.startswith("+"):
        return Phone(reason=ValueProblem.NO_COUNTRY)
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException as error:
        # The library's frame holds the error that holds the frame, and so those of all callers,
        # with whole batches of clients, until the garbage collector comes by.
        clear_frames(error.__traceback__)
        return Phone(reason=_PARSE_REASONS.get(error.error_type, ValueProblem.NUMBER_TOO_SHORT))
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(parsed) and len(e164) <= len("+") + MAX_DIGITS:
        return Phone(e164)
    length = phonenumbers.is_possible_number_with_reason(parsed)
    if length in _TOO_FEW:
        return Phone(reason=ValueProblem.NUMBER_TOO_SHORT)
    too_long = length == ValidationResult.TOO_LONG or len(e164) > len("+") + MAX_DIGITS
    return Phone(reason=ValueProblem.NUMBER_TOO_LONG if too_long else ValueProblem.NOT_ASSIGNED)


_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: ValueProblem.NOT_ASSIGNED,
    NumberParseException.TOO_LONG: ValueProblem.NUMBER_TOO_LONG,
}
