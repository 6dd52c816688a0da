"""E-mail addresses as people type them, and the address that is sent or the reason why none is."""

from __future__ import annotations

REPORTED: list[tuple[str, str]] = [
    # exceedone/exment#800; PHPMailer#418 consecutive dots; SendGrid wants quotes
    ("aaa..bbbb.cc@docomo.ne.jp", "invalid"),
    ("steve@mysociety.org.", "invalid"),  # mysociety/foi-register#251 trailing dot
    # alphagov/notifications-utils#471 'we should just deal with the mess for them' leading ZWSP
    ("\u200bjohn03@example.com", "john03@example.com"),
    ("\ufeffjohn05@example.com", "john05@example.com"),  # BOM of an imported file
    ("mailto:john06@example.com", "john06@example.com"),  # copied link
    ("John Doe <john07@example.com>", "john07@example.com"),  # email-validator allow_display_name
    ("john08@example.com; jane08@example.com", "two_addresses"),  # usual two addresses
    # sendgrid-python#100: 400 Invalid email address EAI local part
    ("KYÖSTI09@example.org", "not_ascii"),
    ("KYOSTI10@EXAMPLE.ORG", "kyosti10@example.org"),  # SendGrid OAS: stored lower case
    ("ALİ@example.com", "not_ascii"),  # Turkish dotted I: another mailbox than ali@
    ("al\u0131@example.com", "not_ascii"),  # Turkish dotless i
    ("j\u043ehn13@example.com", "not_ascii"),  # Cyrillic o in the local part
    # Cyrillic a in a Latin domain: UTS 39 mixed script homograph
    ("john14@gm\u0430il.com", "look_alike_domain"),
    ("john15@example.com\xa0", "john15@example.com"),  # NBSP
    ("john 16@example.com", "invalid"),  # blank inside
    ('"john..17"@example.com', "invalid"),  # quoted local part; quoted local part
    ("john18@[192.168.1.1]", "invalid"),  # domain literal
    ("john19@münchen.de", "john19@xn--mnchen-3ya.de"),  # IDN
    # IDN, Cyrillic TLD
    ("john20@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "john20@xn--e1afmkfd.xn--p1ai"),
    ("john21@faß.de", "john21@xn--fa-hia.de"),  # IDNA 2008 sharp s
    ("john22@sub_domain.example.com", "invalid"),  # underscore is no host name
    ("john23@example.c", "invalid"),  # no top level domain has one letter
    ("postmaster24@example.com", "postmaster24@example.com"),  # role-like
    ("john25@broker.local", "invalid"),  # RFC 6762
    ("john26@broker.test", "invalid"),  # RFC 2606
    ("John.Doe+Tag27@GMail.com", "john.doe+tag27@gmail.com"),  # plus tag
    ("'john28@example.com'", "invalid"),  # quotes of a bad export
    ("'john29@example.com", "'john29@example.com"),  # Excel's text mark
    ("john30@example..com", "invalid"),
    ("john31\uff20example.com", "invalid"),  # full-width @
    ("john32@example\u3002com", "john32@example.com"),  # ideographic full stop
    ("n/a", "invalid"),  # placeholder
    ("NULL", "invalid"),  # placeholder
    ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),  # RFC 5321
    ("x" * 65 + "@example.com", "invalid"),  # RFC 5321
    ("y" * 100_000 + "@example.com", "invalid"),  # 100 kB
    ("john38@example.com,jane38@example.com", "two_addresses"),  # usual two addresses
    ("jac\u212a39@example.com", "not_ascii"),  # Kelvin sign
    ("john41@exam\xadple.com", "john41@example.com"),  # soft hyphen in a copied domain
    ("john42@xn--80ak6aa92e.com", "john42@xn--80ak6aa92e.com"),  # apple.com homograph
    ("john43@example.com\n", "john43@example.com"),  # newline
    ("john44@EXAMPLE.COM.", "invalid"),  # trailing dot
    ("j&o|h`n!45@example.com", "j&o|h`n!45@example.com"),  # legal atoms
]

KINDS: list[tuple[str, str]] = [
    # Two mailboxes never become one
    ("V\u0130CTIM@example.com", "not_ascii"),
    ("v\u0131ctim@example.com", "not_ascii"),
    ("victi\u0307m@example.com", "not_ascii"),  # a dot that stands above the i
    ("\u212aate@example.com", "not_ascii"),
    ("\u017fam@example.com", "not_ascii"),  # the long s is an s in upper case
    ("\uff41nn@example.com", "not_ascii"),  # full width
    ("ann\u00b9@example.com", "not_ascii"),  # a superscript
    ("stra\u00dfe@example.com", "not_ascii"),
    ("\ufb01nn@example.com", "not_ascii"),  # a ligature
    ("\u0430nn@example.com", "not_ascii"),
    ("ann\u0301@example.com", "not_ascii"),
    ("ann\u2024lee@example.com", "not_ascii"),  # a leader, no full stop
    ("ann\u2019s@example.com", "not_ascii"),
    # What nobody sees
    ("ann\u200c@example.com", "ann@example.com"),
    ("ann@exam\u2060ple.com", "ann@example.com"),
    ("\u202aann@example.com\u202c", "ann@example.com"),
    ("\u2068ann@example.com\u2069", "ann@example.com"),
    ("ann@example.com\ufe0f", "ann@example.com"),
    ("ann\U000e0041@example.com", "ann@example.com"),  # a tag of category Cf
    ("\u200e ann@example.com \u200e", "ann@example.com"),
    ("ann\u00ad@example.com", "ann@example.com"),
    ("\u200b", "missing"),
    ("\u3000ann@example.com\u2003", "ann@example.com"),
    ("ann\u2800@example.com", "not_ascii"),  # it looks like a space, and is a letter of Braille
    # Links and names
    ("MAILTO:Ann@Example.com", "ann@example.com"),
    ("mailto:ann@example.com?subject=Hi", "ann@example.com"),
    ("mailto://ann@example.com", "ann@example.com"),
    ("<ann@example.com>", "ann@example.com"),
    ('"Lee, Ann" <Ann@example.com>', "ann@example.com"),
    ("J\u00fcrgen <juergen@example.com>", "juergen@example.com"),
    ("Ann <mailto:ann@example.com>", "ann@example.com"),
    ("Ann <ann@example.com> <bob@example.com>", "two_addresses"),
    ("Ann <ann@example.com", "invalid"),
    ("Ann <>", "missing"),
    ("ann@example.com (work)", "invalid"),
    # Two addresses
    ("ann@example.com bob@example.com", "two_addresses"),
    ("ann@example.com/bob@example.com", "two_addresses"),
    ("ann@example.com|bob@example.com", "two_addresses"),
    ("ann@example.com;", "invalid"),
    ("ann@@example.com", "invalid"),
    # Domains
    ("ann@ex\u0430mple.com", "look_alike_domain"),
    ("ann@www.\u0440aypal.com", "look_alike_domain"),
    ("ann@g\u03bfogle.com", "look_alike_domain"),  # a Greek omicron
    ("ann@\u65e5\u672c\u8a9etokyo.jp", "ann@xn--tokyo-1e1k07ec84j.jp"),  # Japanese mixes them
    ("ann@\u03b5\u03bb.gr", "ann@xn--qxam.gr"),
    ("ann@B\u00dcCHER.example", "ann@xn--bcher-kva.example"),
    ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
    ("ann@example.com,", "invalid"),
    ("ann@.example.com", "invalid"),
    ("ann@example-.com", "invalid"),
    ("ann@xn--a.com", "invalid"),  # no A-label
    ("ann@1.2.3.4", "invalid"),
    ("ann@example.c0m", "invalid"),
    ("ann@host.localhost", "invalid"),
    ("ann@example.invalid", "invalid"),
]
