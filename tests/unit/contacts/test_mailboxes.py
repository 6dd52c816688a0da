"""No two mailboxes become one, whatever character their addresses hold."""

from __future__ import annotations

import sys

import regex

from contact_sync.contacts import emails
from tests.support.columns import column, values

SELECTORS = {*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNSEEN = regex.compile(r"\p{Cf}")  # newer than the standard library knows


def test_B06_of_all_characters_only_the_invisible_ones_and_upper_case_give_another_address() -> (
    None
):
    """Each code point between two letters of a mailbox: it stays, or nobody can see it."""
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    keys = values(emails.normalised(column([f"vict{chr(code)}m@x.co" for code in codes])))
    for code, key in zip(codes, keys, strict=True):
        if not key.isascii():  # nobody's: SendGrid takes ASCII before the @
            continue
        char = chr(code)
        unseen = bool(UNSEEN.match(char)) or code in SELECTORS
        kept = LETTERS[code - ord("A")] if "A" <= char <= "Z" else char
        assert key == f"vict{'' if unseen else kept}m@x.co", hex(code)


def test_B06_a_character_that_is_no_mailbox_is_never_a_mailbox_of_another_spelling() -> None:
    """Neither in another case nor composed in another way."""
    odd = [
        "\u0130",
        "i\u0307",
        "\u0131",
        "\u212a",
        "\u017f",
        "\uff49",
        "\u2170",
        "\U0001d422",
        "\u1d62",
    ]
    for char in odd:
        for text in (
            f"v{char}ctim@x.co",
            f"V{char}CTIM@X.CO",
            f"{char}@x.co",
            f"victim{char}@x.co",
        ):
            found = emails.sendable(emails.normalised(column([text])))
            assert values(found.values) == [None], ascii(text)


def test_B06_an_address_beside_others_stays_its_own() -> None:
    """In one column: the Turkish spellings and the English one are three addresses."""
    texts = [
        "victim@x.co",
        "v\u0130ctim@x.co",
        "v\u0131ctim@x.co",
        "VICTIM@X.CO",
        "vi\u200bctim@x.co",
    ]
    first, dotted, dotless, upper, unseen = values(emails.normalised(column(texts)))
    assert first == upper == unseen == "victim@x.co"
    assert len({first, dotted, dotless}) == 3
