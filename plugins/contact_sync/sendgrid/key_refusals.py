"""Why SendGrid answers 401 or 403: not every refusal of a key means that the key is wrong.

Its words are from its support article "4XX API Errors and Troubleshooting Suggestions", its
article "Account Under Review", Twilio's error 60603, its v3 reference "Responses" and "Errors"
(temporary blocks), and public reports (django-sendgrid-v5#11, sendgrid-csharp#185 and
#427, sendgrid-nodejs#1032). A locked-out IP address comes with both statuses, and with 403 also
without any word of its own.
"""

from __future__ import annotations

from contact_sync.base.errors import AuthError

_CAUSES: list[tuple[tuple[str, ...], str]] = [
    (
        ("whitelist", "allowlist", "allow list", "allow-list", "ip address", "ip access"),
        "the key wasn't judged: the address that this machine calls from isn't allowed. Add it "
        "under Settings > IP Access Management",
    ),
    (
        (
            "temporarily blocked",
            "temporary block",
            "too many bad requests",
            "repeated bad requests",
        ),
        "the key wasn't judged: SendGrid has blocked its calls for a while, after many bad ones. "
        "Wait, and look what else calls SendGrid with this account",
    ),
    (
        ("frozen", "past due", "overdue", "payment", "billing", "trial"),
        "the key is right: the account isn't paid, or its trial is over. Look under Settings > "
        "Account Details, or choose a plan",
    ),
    (
        ("credits", "quota"),
        "the key is right: the account has no credits left. Wait for the plan's next period, or "
        "choose a larger plan",
    ),
    (
        ("suspend", "deactivated", "disabled", "banned", "under review", "inactive", "terminated"),
        "the key wasn't judged: the account is suspended, closed or under review. Answer "
        "SendGrid's mail to the account's owner, or ask its support",
    ),
    (
        ("sender identity", "not verified", "unverified", "be verified", "verification"),
        "the key is right: the account isn't verified yet. Finish SendGrid's verification under "
        "Settings > Sender Authentication, or ask its support",
    ),
    (
        ("contact limit", "contacts limit"),
        "the key is right: the plan's contact limit is reached. Remove contacts, or choose a "
        "larger plan",
    ),
    (
        ("wrong credentials", "invalid api key", "grant is invalid"),
        "the API key is wrong, revoked or from another region",
    ),
    (
        ("not authorized",),
        "the API key is known and lacks permission, or the account may not do this; the key needs "
        "Marketing: Full Access",
    ),
]
"""Words of a message, lower case → what is the matter, and what a person can do."""
_BY_STATUS = {
    401: "the API key is wrong, revoked or from another region",
    403: (
        "the API key lacks permission; it needs Marketing: Full Access. If it has that, look "
        "whether the plan includes Marketing Campaigns, and whether Settings > IP Access "
        "Management allows the address that this machine calls from"
    ),
}


_A_PAGE = (
    "the answer is a web page and not SendGrid's JSON, as a proxy or firewall on the way gives "
    "one: look there first. If it is SendGrid's, "
)


def key_refused(
    said: str, status: int, errors: list[dict[str, object]], *, is_page: bool = False
) -> AuthError:
    """The error of an answer 401 or 403. `said`: call, status and SendGrid's words, fit for people;
    `errors`: its error objects; `is_page`: the answer is HTML."""
    words = " ".join(str(error.get("message") or "") for error in errors).lower()
    for signs, cause in _CAUSES:
        if any(sign in words for sign in signs):
            return AuthError(f"{said}; {cause}")
    return AuthError(f"{said}; {_A_PAGE * is_page}{_BY_STATUS[status]}")
