"""Phone numbers as people type them, from the public reports named beside them.

Text, the client's country code, and the number that is sent or the reason why none is.
"""

from __future__ import annotations

REPORTED: list[tuple[str, str | None, str]] = [
    ("079 123 45 67", "CH", "+41791234567"),
    ("079 123 45 67", None, "no_country"),
    # google/libphonenumber#1999; floere/phony#185 'found quite often in the wild'; colinhacks/zod#5
    ("+44 (0)7911 123456", "GB", "+447911123456"),
    ("+41 (0)79 123 45 67", "CH", "+41791234567"),  # floere/phony#185
    ("+49 (0) 209 22 33 44 55", "DE", "+4920922334455"),  # floere/phony#185
    ("+49030 12345678", None, "+493012345678"),  # colinhacks/zod#5563
    ("+39 06 698 12345", "IT", "+390669812345"),  # brick/phonenumber#12
    ("06 6981 2345", "IT", "+390669812345"),  # brick/phonenumber#12
    ("0111523456789", "AR", "+5491123456789"),  # google/libphonenumber#1087
    ("+54 11 15 2345-6789", "AR", "+5491123456789"),  # signalapp/Signal-Android#5270
    # daddyz/phonelib#254; nyaruka/phonenumbers#176
    ("+52 1 55 6200 0000", "MX", "number_too_long"),
    ("89255077200", "RU", "+79255077200"),  # giggsey/libphonenumber-for-php#102
    ("8 (701) 123-45-67", "KZ", "+77011234567"),  # FALSEHOODS.md (+7 is RU and KZ)
    ("+8 903 123 45 67", "RU", "not_assigned"),  # fcevado/phone#110; giggsey#102
    # libphonenumber FALSEHOODS.md (Egypt, native digits)
    ("\u0660\u0661\u0660\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "EG", "+201001234567"),
    ("0011 31 6 23107707", "AU", "+31623107707"),  # daddyz/phonelib#368
    ("000 31 6 23107707", "KE", "+31623107707"),  # daddyz/phonelib#368
    ("011 61 2 3456 7890", "US", "+61234567890"),  # catamphetamine/libphonenumber-js#207
    # libphonenumber metadata SG/HK/TH exit code 001; #1870 '00 is not an IDD in every region'
    ("001 44 20 7946 0958", "SG", "+442079460958"),
    ("0031612345678", None, "+31612345678"),  # giggsey#209
    ("+1\ufe0d-212-555-0123", "US", "+12125550123"),  # woocommerce#58000 (U+FE0D)
    # verbb/hyper#86 (Apple Contacts U+202D U+202C)
    ("\u202d07976 399087\u202c", "GB", "+447976399087"),
    ("\u202a+41 79 123 45 67\u202c", None, "+41791234567"),  # glific#4815
    ("\u202a0041 79 123 45 67\u202c", None, "+41791234567"),  # glific#4815; giggsey#209
    ("+1 650 253 0000 ext. 123", "US", "+16502530000"),  # libphonenumber test data
    ("513140867 513140868", "PL", "+48513140867"),  # catamphetamine/libphonenumber-js#268
    # confusedbuffalo/phone-report#58 (slash separates numbers outside DE)
    ("+65 6123 4567/8", "SG", "+6561234567"),
    # libphonenumber FAQ 'Why wasn't the country code removed'; glific#4132
    ("380501234567", "DE", "not_assigned"),
    # authgear#4015 (possible is length only); NANP area codes never start with 1
    ("1" * 10, "US", "not_assigned"),
    ("+1111111111", "US", "number_too_short"),
    ("+10000000000", "US", "not_assigned"),
    ("9" * 10, "US", "not_assigned"),
    ("0" * 9, "CH", "not_assigned"),
    ("0123456789", "DE", "not_assigned"),
    ("*2700", "IL", "no_number"),  # FALSEHOODS.md (Israel *)
    ("1-800-FLOWERS", "US", "no_number"),  # FALSEHOODS.md (1-800-MICROSOFT)
    ("00800 1234 5678", "DE", "+80012345678"),  # FALSEHOODS.md (UIFN)
    # data-privacy-stack/presidio#2174; ttacon/libphonenumber#92; Laravel-Phone#83
    ("07911 123456", "UK", "+447911123456"),
    ("079 123 45 67", "ch", "+41791234567"),  # common; ISO codes are case-insensitive in practice
    ("079 123 45 67", "CHE", "+41791234567"),  # alpha-3 codes (node-i18n-iso-countries#365)
    ("044 123 456", "XK", "+38344123456"),  # lukes/ISO-3166#29 (Kosovo XK)
    # Notifuse#321 (several numbers in one field)
    ("+41 79 123 45 67; +41 44 668 18 00", "CH", "+41791234567"),
    ("079 123 45 67 (Frau Lee)", "CH", "+41791234567"),  # status-legacy#259 (letters in numbers)
    ("tel:+41-79-123-45-67", "CH", "+41791234567"),  # RFC 3966; verbb/hyper#86
    # libphonenumber test data (full width)
    (
        "\uff0b\uff14\uff11\u3000\uff17\uff19\u3000\uff11\uff12\uff13\u3000\uff14\uff15\u3000\uff16\uff17",
        None,
        "+41791234567",
    ),
    ("+41\u201379\u2013123\u201345\u201367", None, "+41791234567"),  # libphonenumber punctuation
    ("+0041 79 123 45 67", None, "+41791234567"),  # common typo
    ("41791234567", "CH", "+41791234567"),  # catamphetamine/libphonenumber-js#298 (data without +)
    ("41791234567", None, "no_country"),
    ("79 123 45 67", "CH", "+41791234567"),  # Excel drops the leading zero
    ("4.1791E+11", "CH", "no_number"),  # Excel turns numbers into 4.1791E+11
    # libphonenumber: Russian extension word
    ("+7 (903) 123-45-67, \u0434\u043e\u0431. 12", "RU", "+79031234567"),
    ("0 15 11 91234-5678", "BR", "+5511912345678"),  # FALSEHOODS.md (Brazil carrier code)
    ("+44 7911 123456\u200b", None, "+447911123456"),  # validatorjs#940
    ("+447911\u200b123456", None, "+447911123456"),  # validatorjs#940
    ("+4917612345678+4917612345679", "DE", "+4917612345678"),  # Notifuse#321
    ("+420 603 123 456, 603 123 457", "CZ", "+420603123456"),  # Notifuse#321
    ("+61 (0)412 345 678", "AU", "+61412345678"),  # ruimarinho/google-libphonenumber#276
    ("+971 050 123 4567", "AE", "+971501234567"),  # TrevorPilley; common in the Gulf
    ("+380 (0)50 123 45 67", "UA", "+380501234567"),  # Ukraine +380 50: '0' belongs to the trunk
    ("123456", "AT", "+43123456"),  # AT lengths vary
    ("2021-03-04", "DE", "no_number"),  # a date in the phone column
    ("IBAN DE89 3704 0044 0532 0130 00", "DE", "no_number"),  # wrong column
    ("4111 1111 1111 1111", "US", "two_numbers"),  # wrong column
    ("192.168.1.10", "US", "no_number"),  # wrong column
]
