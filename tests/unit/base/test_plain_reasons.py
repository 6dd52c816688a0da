"""G10: SendGrid's reasons are kept without what they say about a person."""

from __future__ import annotations

import pytest

from contact_sync.base.plain_reasons import MAX_REASON, plain


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("invalid phone number", "invalid phone number"),
        ("Invalid date: use MM/DD/YYYY", "Invalid date: use …"),
        ("row 17: phone_number '+41790000001' of Ann Lee is invalid",
         "row … phone_number … of … is invalid"),
        ("row 18: phone_number '+41790000002' of Zoë is invalid",
         "row … phone_number … of … is invalid"),
        ("ann@example.com is a duplicate", "… is a duplicate"),
        ("Müller is too long", "… is too long"),
        ('"O\'Neil" must not hold "quotes"', "…"),
        ("value 50 exceeds 49.5", "value … exceeds …"),
    ],
)  # fmt: skip
def test_H04_reasons_keep_plain_words_only(reason: str, kept: str) -> None:
    """So that rows with one cause have one reason, whatever their values are."""
    assert plain(reason) == (kept if kept != "…" else "refused")


@pytest.mark.parametrize("reason", ["", "   ", "12345", "ann@example.com", "Ann Lee"])
def test_a_reason_without_plain_words(reason: str) -> None:
    """Something is said all the same."""
    assert plain(reason) == "refused"


def test_a_reason_is_short() -> None:
    """However long SendGrid's is."""
    assert len(plain("too long " * 100_000)) <= MAX_REASON


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("name smith is not valid", "name … is not valid"),
        ("not verified is not valid", "not … is not valid"),
        ("<script>alert</script> bad value", "… alert … bad value"),
        ("bad [click here](https://evil.example) value", "bad … value"),
        ("bad <https://evil.example|click here> value", "bad … value"),
        ("bad &lt;b&gt; value", "bad … b … value"),
        ("bad\r\n2026-11-27 ERROR forged", "bad … forged"),
        ("bad\x1b[31m \u202evalue\u2066 www.evil.example", "bad …"),
        ("bad “jane marie roe” value", "bad … value"),
        ("bad «jane marie» value", "bad … value"),
        ("bad *bold* _slanted_ ~struck~ `code` value", "bad … value"),
        ("Import error, field type does not match", "Import error, field type does not match"),
        (f"bad {'x' * 60} value", "bad … value"),
    ],
)
def test_H08_values_markup_and_controls_are_left_out(reason: str, kept: str) -> None:
    """They may quote names, forge lines of a log or post links into a chat; what the contact itself
    holds is known."""
    assert plain(reason, ["Smith", "Verified, not"]) == kept
