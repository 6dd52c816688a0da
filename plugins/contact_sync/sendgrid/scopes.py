"""What SendGrid's API key may do, compared with what a sync needs. Pure.

No document of SendGrid says which scope opens which call; names are those of its pages *Scopes*
and *Teammate permissions*.
"""

from __future__ import annotations

from collections.abc import Iterable

NEEDED = ("marketing.read",)
"""Checked before a run. A missing scope to write shows with the first refused write."""

USEFUL = ("marketing.", "marketing_campaigns.", "suppression.", "asm.", "recipients.erasejob.")
AUTOMATIC = ("2fa_", "sender_verification_")  # SendGrid adds them to keys by itself


def missing(scopes: Iterable[str]) -> list[str]:
    """The scopes without which no run can succeed."""
    return sorted(set(NEEDED) - set(scopes))


def knows_suppressions(scopes: Iterable[str]) -> bool:
    """Whether the key may do anything with suppressions."""
    return any(scope.startswith("suppression.") for scope in scopes)


def needless(scopes: Iterable[str]) -> list[str]:
    """The scopes that no sync uses: what a thief of the key could do besides."""
    return sorted(s for s in set(scopes) if not s.startswith((*USEFUL, *AUTOMATIC)))


def warning(scopes: Iterable[str]) -> str | None:
    """What to tell about a key that may do too much, or None: families with their sizes."""
    families: dict[str, int] = {}
    for scope in needless(scopes):
        family, dot, _ = scope.partition(".")
        families[family + dot] = families.get(family + dot, 0) + 1
    if not families:
        return None
    named = ", ".join(
        f"{f.rstrip('.')} ({n:,} scopes)" if f.endswith(".") and n > 1 else f.rstrip(".")
        for f, n in families.items()
    )
    return (
        f"The SendGrid key may do more than the sync needs: {named[:500]}. A key with Marketing "
        f"and Suppressions only does less harm in the wrong hands"
    )
