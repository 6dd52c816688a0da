"""E-mail addresses: which texts are one address, and which can be sent."""

from __future__ import annotations

import pytest

from contact_sync.contacts import emails
from tests.support.columns import column, reasons, values


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann@Example.COM\t", "ann@example.com"),
        ("ann+news.2@sub.example.co", "ann+news.2@sub.example.co"),
        ("o'brien_%@example.com", "o'brien_%@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_B06_B07_addresses_are_sent_as_sendgrid_keys_them(raw: str, address: str) -> None:
    """Trimmed, lower case, NFC, IDN domains as A-labels; tags and dots are kept."""
    found = emails.sendable(emails.normalised(column([raw])))
    assert (values(found.values), reasons(found)) == ([address], [])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "missing"),
        ("  ", "missing"),
        ("ann", "invalid"),
        ("ann@@example.com", "invalid"),
        ("ann@example", "invalid"),
        ("ann lee@example.com", "invalid"),
        (".ann@example.com", "invalid"),
        ("ann..lee@example.com", "invalid"),
        ("ann@-example.com", "invalid"),
        ("änn@example.com", "not_ascii"),
        ("ann@exämple.com; bob@x.co", "two_addresses"),
        ("ann@ex\u0430mple.com", "look_alike_domain"),
        ("a" * 65 + "@example.com", "invalid"),
        ("a.b" * 22 + "@example.com", "invalid"),
        ("ann@" + "a" * 64 + ".com", "invalid"),
        ("ann@" + ".".join(["a" * 60] * 4) + ".example.com", "invalid"),
        ("ann@localhost", "invalid"),
    ],
)
def test_B07_bad_addresses_are_told_apart(raw: str | None, reason: str) -> None:
    """A client without an address and one with a wrong one."""
    assert reasons(emails.sendable(emails.normalised(column([raw])))) == [reason]


def test_B07_spellings_of_one_address_are_the_same_text() -> None:
    """Also of one that can't be sent: two clients share it, however it was typed."""
    for one, other in [("zo\u00eb@x.co", "ZOE\u0308@X.CO "), ("a@b\u00fc.de", "A@bu\u0308.de")]:
        first, second = values(emails.normalised(column([one, other])))
        assert first == second
