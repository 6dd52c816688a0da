"""Read a phone number as somebody typed it: the oracle's way, by hand-written rules only.

It is written apart from the product's, which asks a library: what may be dialled and what exists
is in numbering_plans.py. Of two numbers the first counts.
"""

from __future__ import annotations

import unicodedata

import regex

from local.numbering_plans import ALPHA_2, EXIT_CODES, as_dialled, exists, without_trunk

LABEL = regex.compile(r"(?:tel|callto|sms|phone|telefon|mobil)\b[.:]*(?://)?\s*", regex.IGNORECASE)
EXTENSION = regex.compile(
    r"[\s,;]*(?:;ext=|\bext\b\.?|x|#|\bdurchwahl\b|\b\u0434\u043e\u0431\b\.?)[\s.]*\d+#?$",
    regex.IGNORECASE,
)
REMARK = regex.compile(r"\s*[(\[]?[^\d()\[\]+]*[)\]]?$")
BETWEEN = regex.compile(r"[;,|\n]|\s(?:or|oder)\s|(?<=\d)[^\d+]*(?=\+)", regex.IGNORECASE)
DECIMAL = regex.compile(r"(\+?\d{7,})\.0+")
OTHER = regex.compile(  # dates, IP addresses
    r"\d{4}[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./]\d{4}|[1-9]\d?\d?(?:\.\d{1,3}){3}"
)
FEWEST = 7  # digits of each of two numbers


def phone_number(raw: str | None, country_code: str | None) -> str:
    """Return the number in E.164, or "" when it can be nobody's."""
    if regex.fullmatch(r"\+[0-9]{8,15}", raw or "") and exists(raw or ""):
        return raw or ""  # nearly all are written like this
    country = (country_code or "").strip().upper().replace(".", "")
    country = ALPHA_2.get(country, country)
    text = plain(raw or "")
    if "phone-context" in text:
        return ""
    text = EXTENSION.sub("", LABEL.sub("", text, count=1) if LABEL.match(text) else text)
    if decimal := DECIMAL.fullmatch(text):
        text = decimal[1]
    pieces = [piece for piece in BETWEEN.split(text) if any(map(str.isdigit, piece))]
    first = pieces[0].strip() if pieces else ""
    if any(map(str.isalpha, first)):  # words behind the number
        first = first[: REMARK.search(first).start()] if REMARK.search(first) else first
    if not regex.fullmatch(r"\+?[\d\s.\-()\[\]/+]+", first) or OTHER.fullmatch(first):
        return ""
    return beside(first, country) or dialled(first, country)


def plain(raw: str) -> str:
    """Return the text with ASCII digits, dashes and spaces, without what can't be seen."""
    kept = []
    for letter in unicodedata.normalize("NFKC", raw):
        kind = unicodedata.category(letter)
        if kind == "Nd":
            kept.append(str(unicodedata.decimal(letter)))
        elif kind == "Pd" or letter == "\u2212":
            kept.append("-")
        elif kind == "Zs":
            kept.append(" ")
        elif kind != "Cf" and not regex.match(r"\p{Variation_Selector}", letter):
            kept.append(letter)
    return "".join(kept).strip(" '\"\t\n")


def beside(text: str, country: str) -> str:
    """Return the first of two numbers that only a slash or a space keeps apart, else ""."""
    before, slash, _ = text.partition("/")
    if slash and (found := dialled(before, country)):
        return found
    words = text.split()
    halves = [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
    if len(words) % 2 or any(sum(map(str.isdigit, half)) < FEWEST for half in halves):
        return ""
    first, second = (dialled(half, country) for half in halves)
    return first if first and second else ""


def dialled(text: str, country: str) -> str:
    """Return the number that a text without remarks means, dialled in a country."""
    digits = regex.sub(r"\D", "", text)
    inside = regex.sub(r"\D", "", text.replace("(0)", ""))  # never dialled from abroad
    if text.lstrip("( ").startswith("+"):
        return abroad(digits, inside)
    leave = EXIT_CODES.get(country, "00")
    for code in (leave, "00"):
        if digits.startswith(code) and (found := abroad(digits[len(code) :], inside[len(code) :])):
            return found
    return as_dialled(digits, country) or as_dialled(inside, country) or ""


def abroad(digits: str, without_zero: str) -> str:
    """Return what follows an exit code or a plus as a number that exists, else ""."""
    digits, without_zero = digits.removeprefix("00"), without_zero.removeprefix("00")
    for written in (digits, without_zero):
        for number in (f"+{written}", without_trunk(written)):
            if number and exists(number):
                return number
    return ""
