"""Texts as people type them: the most characters that the field takes, the text, and what is sent
(None = no value).
"""

from __future__ import annotations

REPORTED: list[tuple[int, str, str | None]] = [
    (50, "Null", "Null"),  # people are called Null (wired.com/2015/11/null)
    (50, "None", "None"),  # pandas NA words
    (50, "NaN", "NaN"),  # pandas NA words
    (50, "N/A", "N/A"),  # pandas NA words
    (50, 'O\'Brien "Dee"', 'O\'Brien "Dee"'),  # quotes
    (50, "\u200f\u0645\u062d\u0645\u062f\u200e", "\u0645\u062d\u0645\u062f"),  # RTL marks
    # 50 code points, whole families of 7
    (
        50,
        "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 20,
        "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 7,
    ),
    # ZWNJ belongs to Persian names
    (
        50,
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    ),
    (50, "Jo\x07hn", "Jo hn"),  # control character
    (50, "<script>alert(1)</script>", "<script>alert(1)</script>"),  # HTML
    # CSV injection
    (50, '=HYPERLINK("http://x.example","y")', '=HYPERLINK("http://x.example","y")'),
    (50, "Jose\u0301", "José"),  # NFD
    (50, "Ann\u2028Lee", "Ann Lee"),  # U+2028
    (50, "\ufeffAnna", "Anna"),  # BOM at the start
    (50, "\u200b", None),  # invisible only is no name
    (50, "\u2800", None),  # braille blank
    (50, "\xad\xad", None),  # soft hyphens only
    (50, "C:\\new\\u0041\\", "C:\\new\\u0041\\"),  # backslashes
    (100, "Weg 1, " * 15_000, "Weg 1, " * 14 + "We"),  # 100 kB
    (50, "00501", "00501"),  # leading zeros
    (50, "1E5", "1E5"),  # looks like a number
    (50, " SW1A\xa01AA ", "SW1A 1AA"),  # NBSP
    # 58 letters
    (
        60,
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    ),
    # 60 characters
    (
        60,
        "Krung Thep Mahanakhon Amon Rattanakosin Mahinthara Ayuthaya Mahadilok Phop",
        "Krung Thep Mahanakhon Amon Rattanakosin Mahinthara Ayuthaya",
    ),
    (50, "\uf8ff", "\uf8ff"),  # private use
    (50, "true", "true"),  # a word
    (100, "\ufffe\uffff", "\ufffe\uffff"),  # noncharacters
    (50, "Nguyễn Thị Minh Khai", "Nguyễn Thị Minh Khai"),  # Vietnamese
    # 51st character is a hyphen
    (
        50,
        "de la Cruz y García-Fernández von und zu Hohenlohe-Langenburg",
        "de la Cruz y García-Fernández von und zu Hohenlohe",
    ),
    (50, "-", "-"),  # placeholder; nothing says that it is none
    # tab
    (
        50,
        "\u0410\u043d\u043d\u0430\t\u041c\u0430\u0440\u0438\u044f",
        "\u0410\u043d\u043d\u0430 \u041c\u0430\u0440\u0438\u044f",
    ),
    (50, "\U0001d56c\U0001d593\U0001d593", "\U0001d56c\U0001d593\U0001d593"),  # astral
    (50, 'Ann;Lee,"x"\r\n,', 'Ann;Lee,"x" ,'),  # separators
    (50, "{{insert email}} {{#if}}", "{{insert email}} {{#if}}"),  # Handlebars of SendGrid
]

KINDS: list[tuple[int, str, str | None]] = [
    # Marks that nobody sees, at the ends and inside
    (50, "\U0001d173", None),  # musical format, category Cf
    (50, "\U0001d159\u2065", None),  # a note without a head; reserved, ignored by default
    (50, "\U0001bca0Anna\U0001d17a", "Anna"),
    (50, "\u2066Anna\u2069", "Anna"),
    (50, "Anna\u200b\u200b", "Anna"),
    (50, "\u2060 Anna \u2060", "Anna"),
    (50, "\u202eanna\u202c", "anna"),  # right to left: without the end it turns the whole line
    (50, "Anna\u200bMaria", "Anna\u200bMaria"),
    (
        50,
        "\u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647",
        "\u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647",
    ),
    (
        50,
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    ),  # Sinhala needs its joiner
    (
        50,
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),  # a flag of a region
    (50, "\u2764\ufe0f", "\u2764\ufe0f"),
    # Nothing that anybody sees
    (50, "\ufeff", None),
    (50, "\u200d\u200d", None),
    (50, "\u3164", None),  # Hangul's filler
    (50, "\uffa0\u115f", None),
    (50, "\u2060\u2800\u00a0", None),
    (50, "\u200e \u200f", None),
    (50, "\u180e", None),
    (50, "\ufe0f", None),
    (50, "\U000e0001", None),
    (50, "\u3000\u2003\u205f", None),
    # White space and controls
    (50, "Anna\u0085Maria", "Anna Maria"),
    (50, "Anna\x00Maria", "Anna Maria"),
    (50, "Anna\x0b\x0cMaria", "Anna Maria"),
    (50, "\x1b[31mAnna", "[31mAnna"),
    (50, "Anna \u2029 Maria", "Anna Maria"),
    (50, "\u1680Anna", "Anna"),
    # Composed
    (50, "A\u030a", "\u00c5"),
    (50, "\u212b", "\u00c5"),  # the sign of the unit is the letter
    (50, "\u1112\u1161\u11ab", "\ud55c"),
    (50, "\u0915\u093c", "\u0915\u093c"),  # what NFC doesn't compose
    # Cut
    (3, "e\u0301e\u0301e\u0301e\u0301", "\u00e9\u00e9\u00e9"),
    (3, "q\u0323q\u0323", "q\u0323"),
    (5, "abcd\U0001f1e8\U0001f1ed", "abcd"),  # a flag isn't cut into letters
    (5, "abcd\U0001f44d\U0001f3fd", "abcd"),
    (
        5,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    ),  # never nothing
    (3, "a" + "\u0301" * 2 + "\u0323" * 80, "\u1ea1\u0323\u0323"),
    (5, "abcd\u200def", "abcd"),  # no joiner is left at the end
    (5, "abcd  efg", "abcd"),
    (5, "\u0915\u094d\u0937\u0915\u094d\u0937", "\u0915\u094d\u0937"),
    # Words of programs are names
    (50, "undefined", "undefined"),
    (50, "NULL", "NULL"),
    (50, "False", "False"),
    (50, "\\N", "\\N"),  # what COPY writes for NULL
    (50, "1e400", "1e400"),
    (50, "%s %d {0} $1", "%s %d {0} $1"),
    (50, "'; DROP TABLE contacts;--", "'; DROP TABLE contacts;--"),
    (50, "&lt;b&gt;", "&lt;b&gt;"),
    (50, "0049", "0049"),
    # Country names: one of 50 characters or fewer stays
    (50, "Heard Island and McDonald Islands", "Heard Island and McDonald Islands"),
    (
        50,
        "South Georgia and the South Sandwich Islands",
        "South Georgia and the South Sandwich Islands",
    ),
    (
        50,
        "Saint Helena, Ascension and Tristan da Cunha",
        "Saint Helena, Ascension and Tristan da Cunha",
    ),
    (50, "S\u00e3o Tom\u00e9 and Pr\u00edncipe", "S\u00e3o Tom\u00e9 and Pr\u00edncipe"),
    (50, "Curac\u0327ao", "Cura\u00e7ao"),
]
