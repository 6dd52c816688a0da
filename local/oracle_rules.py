"""What becomes of single values, by rules written apart from the product's: the oracle's part."""

from __future__ import annotations

import codecs
import string
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

import regex
from email_validator import EmailNotValidError, validate_email

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
INVISIBLE = regex.compile(r"[\p{Cf}\p{Variation_Selector}]")
MARKS = (
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
)
ENDS = regex.compile(rf"^[\s{MARKS}]+|[\s{MARKS}]+$")
BESIDE_LATIN = {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"}
SEEN = regex.compile(r"[^\s\p{Default_Ignorable_Code_Point}\U0001d159\u2800\ufff9-\ufffb]")


def clean_email(raw: str | None) -> str:
    """Return an address in the form that is compared; "" when there is none."""
    text = INVISIBLE.sub("", raw or "").strip()
    if text.endswith(">") and text.count("<") == text.count(">") == text.count("@") == 1:
        text = text.partition("<")[2].removesuffix(">").strip()
    if text[:7].lower() == "mailto:":  # a URL: its query is none of the address's (RFC 6068)
        text = unquote(text[7:].partition("?")[0].removeprefix("//")).strip()
    return str(text.translate(LOWER))


def email_address(raw: str | None) -> str | None:
    """Return the address to send, in ASCII, or None when it is missing or not valid."""
    text = clean_email(raw)
    if not text.rpartition("@")[0].isascii() or mixes_alphabets(text):
        return None
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    email = (found.ascii_email or "").translate(LOWER)
    if not regex.search(
        r"\.([a-z]{2,}|xn--[a-z0-9-]+)$", email
    ):  # IANA's list of top level domains
        return None
    return email if len(email.rpartition("@")[0]) <= 64 and len(email) <= 254 else None


def mixes_alphabets(text: str) -> bool:
    """Return whether a word of a domain has Latin letters and such as only look like them."""
    for word in text.rpartition("@")[2].split("."):
        letters = word
        if word.startswith("xn--"):  # the same word, written in ASCII
            letters = codecs.decode(word[4:].encode(), "punycode", "replace")
        alphabets = {unicodedata.name(x, "").partition(" ")[0] for x in letters if x.isalpha()}
        beside_latin = "LATIN" in alphabets and alphabets - BESIDE_LATIN
        if beside_latin or {"CYRILLIC", "GREEK"} <= alphabets:
            return True
    return False


@lru_cache(maxsize=65_536)  # names, cities and lookup values come again and again
def clean_text(raw: str | None, limit: int) -> str:
    """Return one trimmed line of at most `limit` code points that splits no visible character."""
    one_line = regex.sub(r"[\s\p{Cc}]+", " ", unicodedata.normalize("NFC", raw or ""))
    one_line = ENDS.sub("", one_line)
    if not SEEN.search(one_line):
        return ""
    if len(one_line) <= limit:
        return str(one_line)
    kept = ""
    for character in regex.findall(r"\X", one_line):
        if len(kept) + len(character) > limit:
            break
        kept += character
    return kept.rstrip()
