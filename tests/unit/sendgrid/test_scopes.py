"""H6: a key that may do too little is refused, one that may do too much is told."""

from __future__ import annotations

import pytest

from contact_sync.sendgrid import scopes

MARKETING = [
    "marketing.read", "marketing.automation.read", "marketing_campaigns.create",
    "marketing_campaigns.delete", "marketing_campaigns.read", "marketing_campaigns.update",
]  # fmt: skip
SUPPRESSIONS = ["suppression.read", "suppression.unsubscribes.read", "asm.groups.read"]
AUTOMATIC = ["2fa_exempt", "2fa_required", "sender_verification_eligible"]
WIDE = [
    "mail.send", "mail.batch.create", "api_keys.create", "api_keys.read", "billing.read",
    "user.account.read", "teammates.create", "access_settings.whitelist.read", "ui.provision",
    "categories.read", "mail_settings.read", "marketingx.read",
]  # fmt: skip


def test_H06_a_key_for_marketing_is_right() -> None:
    """Also with suppressions, and with what SendGrid adds by itself."""
    right = [*MARKETING, *SUPPRESSIONS, *AUTOMATIC]
    assert (scopes.missing(right), scopes.needless(right)) == ([], [])
    assert scopes.warning(right) is None


@pytest.mark.parametrize("key", [[], ["mail.send"], ["marketing_campaigns.read"]])
def test_H06_a_key_without_marketing_is_not(key: list[str]) -> None:
    """It can't read lists and fields."""
    assert scopes.missing(key) == ["marketing.read"]


@pytest.mark.parametrize("scope", WIDE)
def test_H06_each_other_scope_is_needless(scope: str) -> None:
    """And named."""
    assert scopes.needless([*MARKETING, scope]) == [scope]
    assert scope.partition(".")[0] in str(scopes.warning([*MARKETING, scope]))


def test_H06_the_warning_is_short_for_a_key_with_full_access() -> None:
    """Families, not hundreds of names."""
    full = [f"family{n % 40}.part{n}.read" for n in range(400)]
    assert "family0 (10 scopes), " in str(scopes.warning([*MARKETING, *full]))
    assert len(str(scopes.warning(full))) < 700
