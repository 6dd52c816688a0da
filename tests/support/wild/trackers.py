"""More phone numbers and addresses, from trackers of libraries and of such syncs.

The same columns as in phones.py and emails.py.
"""

from __future__ import annotations

PHONES: list[tuple[str, str | None, str]] = [
    # Numbers that a table has turned into decimals: the digit behind the point is none of theirs
    ("1234567891.0", "US", "not_assigned"),  # wireservice/csvkit#1143
    ("12025550143.0", "US", "+12025550143"),  # nyaruka/rapidpro#241
    ("+41791234567.0", None, "+41791234567"),
    ("15123456789.0", "DE", "+4915123456789"),  # with the 0 it would be somebody else's
    ("791234567.00", "CH", "+41791234567"),
    ("0791234567.0", "CH", "+41791234567"),
    ("79123456.7", "CH", "+41791234567"),  # no decimal: a point between digits
    ("3.108207129E9", "US", "no_number"),  # dilshod/xlsx2csv#190
    ("4.1791234567E10", "CH", "no_number"),
    ("'+41791234567", "CH", "+41791234567"),  # a spreadsheet's mark of text
    ('"+41 79 123 45 67"', "CH", "+41791234567"),
    ("=+41791234567", "CH", "no_number"),
    # Exit codes and trunk prefixes
    ("0032474123456", None, "+32474123456"),  # whisperfish/rust-phonenumber#29
    ("0049(89) 11196611", None, "+498911196611"),  # libphonenumber-js#185
    ("+48 (0) 22 512 34 56", "PL", "+48225123456"),  # google/libphonenumber#1816
    ("+38(067)4545451", "UA", "+380674545451"),  # giggsey#388, as Ukrainians write it
    ("0685123456", "FR", "+33685123456"),  # daddyz/phonelib#218: not Samoa
    ("1(123)456-7890", "US", "number_too_short"),  # daviddrysdale/python-phonenumbers#277
    ("1(223)456-7890", "US", "+12234567890"),
    ("+330611223344", "FR", "+33611223344"),  # libphonenumber-csharp#132
    ("+3307000001573827", "FR", "number_too_long"),
    ("7 016 1610088", "RU", "not_assigned"),  # libphonenumber-csharp#72
    ("03432640000", "US", "number_too_long"),  # python-phonenumbers#48
    ("0656851242", "IT", "+390656851242"),
    ("335022670", "IT", "+39335022670"),
    ("+22505855515", "CI", "number_too_short"),  # giggsey#356, before 2021
    ("0445532231113", "MX", "number_too_long"),  # daddyz/phonelib#132, until 2019
    ("+5215545258448", "MX", "number_too_long"),  # daddyz/phonelib#33
    ("55 4525 8448", "MX", "+525545258448"),
    ("+540111557447700", "AR", "+5491157447700"),  # daddyz/phonelib#325
    (
        "+54 11 4799 9350",
        "AR",
        "+541147999350",
    ),  # sstephenson/global_phone#15: no 9 for fixed lines
    ("(0xx85) 2222-2222", "BR", "no_number"),  # DrHyde/perl-modules-Number-Phone#81
    ("+91 0 98765 43210", "IN", "+919876543210"),
    ("91 9876543210", "IN", "+919876543210"),
    ("+61 02 9876 5432", "AU", "+61298765432"),
    ("+353 (0)87 123 4567", "IE", "+353871234567"),
    ("+358 040 1234567", "FI", "+358401234567"),
    ("+90 0532 123 45 67", "TR", "+905321234567"),
    ("+86 0138 0013 8000", "CN", "+8613800138000"),
    ("+82 010-1234-5678", "KR", "+821012345678"),
    ("+966 05 0123 4567", "SA", "+966501234567"),
    ("+27 (0)82 123 4567", "ZA", "+27821234567"),
    ("+234 0803 123 4567", "NG", "+2348031234567"),
    ("+31 0612345678", "NL", "+31612345678"),
    ("0031 06 12345678", "NL", "+31612345678"),
    ("007 903 123 45 67", "RU", "+79031234567"),
    ("+77 903 123 45 67", "RU", "not_assigned"),
    ("0044 07911 123456", "GB", "+447911123456"),
    ("+44 44 7911 123456", "GB", "number_too_long"),  # the calling code twice
    ("+44 +44 7911 123456", "GB", "two_numbers"),
    ("+041 79 123 45 67", "CH", "not_assigned"),
    ("(+41) 079 123 45 67", "CH", "+41791234567"),
    ("+(41) 79 123 45 67", "CH", "+41791234567"),
    ("(0041) 79 123 45 67", "CH", "+41791234567"),
    ("0041 (0) 79 123 45 67", "CH", "+41791234567"),
    ("876 555 0123", "JM", "+18765550123"),
    ("1-416-555-0199", "CA", "+14165550199"),
    # Several numbers, remarks and what is no number
    ("+41791234567 / +41446681800", "CH", "+41791234567"),
    ("+41 79 123 45 67 /+44 20 7946 0958", None, "+41791234567"),
    ("+1 (800) 555-0199 / +44 20 7946 0958", "US", "+18005550199"),
    ("06 12 34 56 78 / 01 23 45 67 89", "FR", "+33612345678"),
    ("020 7946 0958 or 07911 123456", "GB", "+442079460958"),
    ("+442079460958,,,123#", "GB", "+442079460958"),  # pauses before an extension
    ("+1-202-555-0143;ext=99", "US", "+12025550143"),
    ("tel://+41791234567", "CH", "+41791234567"),
    ("+44 20 7946 0958 (home)", "GB", "+442079460958"),
    ("030/123456", "DE", "+4930123456"),
    ("079/123 45 67", "CH", "+41791234567"),
    ("079.123.45.67", "CH", "+41791234567"),
    ("+41 79 123 45 6?", "CH", "no_number"),
    ("+41 79 123 xx 67", "CH", "no_number"),
    # A second number with a plus, whatever stands before it; and groups that divide in two ways
    ("01 234567890-+43 664 123456", "AT", "+431234567890"),
    ("030 123456.+49 1512 3456789", "DE", "+4930123456"),
    ("0812-345-678. +62 21 8350123", "ID", "+62812345678"),
    ("08-12 34 56 (+46 70 123 45 67)", "SE", "+468123456"),
    ("600 123 456 -- +56 2 2123 4567", "CL", "+56600123456"),
    ("010 234567-+381 60 1234567", "RS", "+38110234567"),
    ("+352 27 12 34 56 628 123 456", "LU", "two_numbers"),  # +352 271234 is one, too
    ("+352 2715 397 4641 +352 27 40 06 13", "LU", "two_numbers"),  # +352 2715 is one, too
    ("*100#", "CH", "no_number"),
    ("10:30", "CH", "no_number"),
    ("CHF 1500.00", "CH", "no_number"),
    ("1'500.00", "CH", "no_number"),
    ("20 October 1990", "GB", "no_number"),
    ("756.1234.5678.97", "CH", "number_too_long"),  # a number of Swiss insurance
    ("112", "CH", "number_too_short"),
    ("+", "CH", "no_number"),
    ("00", "CH", "number_too_short"),
    # Countries
    ("050 123 4567", "UAE", "+971501234567"),
    ("050 123 4567", "U.A.E.", "+971501234567"),
    ("079 123 45 67", "C H", "+41791234567"),
    ("079 123 45 67", "\u200bCH", "+41791234567"),
    ("202-555-0143", "U.S.", "+12025550143"),
    ("079 123 45 67", "756", "unknown_country"),  # ISO's numeric code
    # Numbers of no country
    ("+882 16 1234567", None, "+882161234567"),
    ("+800 1234 5678", None, "+80012345678"),
    ("+979 1 2345 6789", None, "+979123456789"),
    ("+388 1234567", None, "not_assigned"),
]

EMAILS: list[tuple[str, str]] = [
    ("john.doe.@example.com", "invalid"),  # scottgonzalez/sane-email-validation#2; yup#2181
    (".john@example.com", "invalid"),  # hallelujah/valid_email#50
    ('"John..Doe"@example.com', "invalid"),  # manishsaraan/email-validator#81
    ("john@example,com", "invalid"),
    ("john@example.com/", "invalid"),
    ("http://john@example.com", "invalid"),
    ("john(at)example.com", "invalid"),
    ("john@gmail", "invalid"),
    ("a", "invalid"),  # nylas/sync-engine#144
    ("john@ example.com", "invalid"),
    ("john@example.com=20", "invalid"),  # quoted-printable
    ("john\\@example.com", "invalid"),
    ("<john@example.com", "invalid"),
    ("[john@example.com](mailto:john@example.com)", "invalid"),  # Markdown
    ("john@example.com (John)", "invalid"),
    ("e-mail: john@example.com", "invalid"),
    ("john@example.com\tjane@example.com", "invalid"),
    ("john@example.com\u200b,jane@example.com", "two_addresses"),
    ("john@example.com&nbsp;", "invalid"),
    ("&lt;john@example.com&gt;", "invalid"),
    ("john&amp;doe@example.com", "invalid"),
    ("o\u2019brien@example.com", "not_ascii"),  # a typographer's apostrophe
    ("#N/A", "invalid"),
    ("test@test", "invalid"),
    # A link's address may be percent-encoded: without that it is another mailbox (RFC 6068)
    ("mailto:john%2Bx@example.com", "john+x@example.com"),
    ("mailto:%4Aohn@example.com", "john@example.com"),
    ("Ann <mailto:ann%2Bx@example.com>", "ann+x@example.com"),
    ("mailto:ann%40bob@example.com", "invalid"),
    ("mailto:ann%0A@example.com", "invalid"),
    ("mailto:ann%FF@example.com", "not_ascii"),
    ("ann%2Bx@example.com", "ann%2bx@example.com"),  # in no link it is what it says
    ("MAILTO: john@example.com", "john@example.com"),
    ("mailto:mailto:john@example.com", "invalid"),
    # Right, although they look odd
    ("john+@example.com", "john+@example.com"),
    ("+john@example.com", "+john@example.com"),
    ("_@example.com", "_@example.com"),
    ("-@example.com", "-@example.com"),
    ("j@e.co", "j@e.co"),
    ("o'brien@example.com", "o'brien@example.com"),
    ("john%example.com@example.org", "john%example.com@example.org"),
    ("john@example.museum", "john@example.museum"),
    ("john@example.con", "john@example.con"),  # HubspotCommunity/hubspot-ruby#231: who can tell?
    ("null@example.com", "null@example.com"),
    ("john@EXAMPLE.\u4e2d\u56fd", "john@example.xn--fiqs8s"),
    ("john@\u043f\u0440\u0438\u043c\u0435\u0440.com", "john@xn--e1afmkfd.com"),
    ("john@stra\u00dfe.de", "john@xn--strae-oqa.de"),
    ("john@example\uff0ecom", "john@example.com"),
    # Domains
    ("john@xn--gmil-63d.com", "look_alike_domain"),  # a Cyrillic a, as a browser copies it
    ("john@mail.XN--ggle-0nda.com", "look_alike_domain"),
    ("john@ex\u10d0mple.com", "look_alike_domain"),  # Georgian
    ("john@ex\u2c9fmple.com", "look_alike_domain"),  # Coptic
    ("john@\u0430\u03bf\u0440.com", "look_alike_domain"),  # Cyrillic and Greek
    ("john@xn--bcher-kva.de", "john@xn--bcher-kva.de"),
    ("john@xn--tokyo-1e1k07ec84j.jp", "john@xn--tokyo-1e1k07ec84j.jp"),
    ("john@127.0.0.1", "invalid"),
    ("john@[IPv6:::1]", "invalid"),
    ("john@xn--", "invalid"),
    ("john@exa_mple.com", "invalid"),
    ("john@" + "a" * 64 + ".com", "invalid"),
    ("john@example.123", "invalid"),
    ("john@example.c-om", "invalid"),
    ("john@sub..example.com", "invalid"),
]

ORACLE_FINDS_MORE = {
    "380501234567",
    "0812-345-678. +62 21 8350123",
    "600 123 456 -- +56 2 2123 4567",
    "010 234567-+381 60 1234567",
    "+352 2715 397 4641 +352 27 40 06 13",
}
"""Texts that the oracle reads otherwise: it knows some countries' plans by lengths only, and others
(Indonesia, Chile, Serbia) not at all; of Luxembourg's two numbers it takes the first."""
