"""Texts in Date and Number fields, and what is sent (None = no value)."""

from __future__ import annotations

DAYS: list[tuple[str, str | None]] = [
    ("1990-05-12", "1990-05-12"),
    ("1990-05-12 00:00:00", "1990-05-12"),
    ("12/05/1990", None),
    ("0000-00-00", None),  # MySQL zero date
    ("1990-05-12T24:00:00", None),
    ("\u0662\u0660\u0662\u0664-\u0660\u0661-\u0660\u0661", None),  # Arabic digits
    ("1990-05-12T00:00:00Z", "1990-05-12"),
    ("44562", None),  # Excel serial
    ("2023-02-29", None),
    ("12.05.1990", None),
    ("19900512", None),
    ("1990-05-12T00:00:00.123456789Z", None),
    ("1990-05", None),
    ("90-05-12", None),
    # More kinds
    ("1990-05-12T23:30:00-01:00", "1990-05-13"),
    ("1990-05-12 00:30:00+02", "1990-05-11"),  # as PostgreSQL writes it
    ("1990-05-12 00:30:00 +0200", "1990-05-11"),
    ("1990-05-12 23:30:00 -05", "1990-05-13"),
    ("1990-05-12 10:00", "1990-05-12"),
    ("1990-05-12T10:00:00.5Z", "1990-05-12"),
    ("  1990-05-12 ", "1990-05-12"),
    ("641520000", None),  # seconds from 1970
    ("641520000000", None),  # milliseconds: not the year 1612
    ("16120512", None),
    ("1990-W19-6", None),
    ("1990-132", None),
    ("1990-5-2", None),
    ("1990-05-12T1000", None),
    ("1990-05-12T10", None),
    ("1990-05-12T23:59:60Z", None),  # a leap second
    ("1990-05-12T10:00:00+24:00", None),
    ("1990-05-12T10:00:00+01:75", None),
    ("1990-02-30", None),
    ("1990-13-01", None),
    ("1990-00-10", None),
    ("+1990-05-12", None),
    ("-1990-05-12", None),
    ("1990-05-12 BC", None),
    ("1990/05/12", None),
    ("May 12, 1990", None),
    ("infinity", None),
    ("now", None),
    ("today", None),
    ("\uff11\uff19\uff19\uff10-05-12", None),
    ("1990\u201305\u201312", None),
]

NUMBERS: list[tuple[str, str | None]] = [
    ("1 234,50", None),
    ("1,234.50", None),
    ("1.234.567", None),
    ("$100", None),
    ("1_000", None),  # Python literal
    ("0x1F", None),
    ("+5", None),
    (".5", None),
    ("\u0663\u0664", None),  # Arabic digits
    ("1e400", None),
    ("1e-400", "0"),
    ("-", None),
    ("Inf", None),
    ("12\xa0000", None),
    ("true", None),
    ("\uff11\uff12", None),  # full width
    ("5.", None),
    ("1e15", "1000000000000000"),
    ("\u22125", None),  # U+2212 minus
    # More kinds
    ("1'234.50", None),
    ("1\u202f234,50", None),
    ("12 000", None),
    ("1,5", None),
    ("\u20ac5", None),
    ("5 USD", None),
    ("50%", None),
    ("(5)", None),  # accountants' minus
    ("5-", None),
    ("--5", None),
    ("1e", None),
    ("1e1000", None),
    ("0b11", None),
    ("1/2", None),
    ("nan", None),
    ("-Infinity", None),
    ("\u221e", None),
    ("\u0969\u096a", None),
    ("\u00bd", None),
    ("\u00b2", None),
    ("007", "7"),
    (" 5 ", "5"),
    ("-0", "0"),
    ("-0.00", "0"),
    ("1E3", "1000"),
    ("2.50", "2.5"),
    ("9" * 25, "9" * 25),
    ("9" * 400, None),
]
