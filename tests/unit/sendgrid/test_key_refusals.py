"""401 and 403: what SendGrid says decides what a person is told."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import AuthError
from contact_sync.sendgrid.api import SendGridApi
from tests.support.scripted_server import Script

ADDRESS = "the address that this machine calls from isn't allowed"
CREDITS = "the account has no credits left"
CLOSED = "the account is suspended, closed or under review"
UNVERIFIED = "the account isn't verified yet"
LIMIT = "the plan's contact limit is reached"
WRONG = "the API key is wrong, revoked or from another region"
LACKS = "lacks permission"
BLOCKED = "SendGrid has blocked its calls for a while"
UNPAID = "the account isn't paid, or its trial is over"
SAID = [
    # sklarsa/django-sendgrid-v5#11; a public report of August 2026 has it with both statuses
    ((401, 403), "The requestor's IP Address is not whitelisted", ADDRESS),
    # sendgrid/docs#5464
    ((403,), "Your IP address is not whitelisted. See http://send.gd/1PemvHz for more details.",
     ADDRESS),
    # Support article 18322114821403; sendgrid-nodejs#1032
    ((401,), "Maximum credits exceeded", CREDITS),
    ((401,), "The provided authorization grant is invalid, expired, or revoked", WRONG),
    ((401,), "authorization required", WRONG),
    ((401, 403), "Authenticated user is not authorized", LACKS),
    ((403,), "access forbidden", LACKS),
    # Support article "Account Under Review"; sendgrid/docs#4352
    ((401, 403), "Your account has been suspended. Please contact Support to regain access.",
     CLOSED),
    ((403,), "Account deactivated", CLOSED),
    ((403,), "This account is currently under review", CLOSED),
    ((403,), "The from address does not match a verified Sender Identity.", UNVERIFIED),
    ((403,), "Your account must be verified first", UNVERIFIED),
    # sendgrid-go#413, there in a job
    ((403,), "you have hit your contact limit", LIMIT),
    # SendGrid's v3 reference, "Responses" and "Errors"
    ((403,), "You are temporarily blocked from sending emails due to repeated bad requests.",
     BLOCKED),
    ((403,), "Too many bad requests. Temporary block", BLOCKED),
    # Twilio's error 60603
    ((401, 403), "Your account is frozen", UNPAID),
    ((403,), "Your free trial has expired", UNPAID),
    # sendgrid/docs#6587
    ((401, 403), "Permission denied, wrong credentials", WRONG),
    ((401,), None, WRONG),
    ((403,), None, LACKS),
]  # fmt: skip
CASES = [(status, said, told) for statuses, said, told in SAID for status in statuses]


@pytest.mark.parametrize(("status", "said", "told"), CASES)
def test_C08_a_refusal_says_what_is_the_matter(
    server: Script, api: SendGridApi, status: int, said: str | None, told: str
) -> None:
    """With SendGrid's words; only a wrong key is called one."""
    server.say(status, {"errors": [{"field": None, "message": said}]})
    with pytest.raises(AuthError) as caught:
        api.scopes()
    text = str(caught.value)
    assert told in text
    assert (said or "answered") in text
    assert (WRONG in text) == (told is WRONG)
    assert "None" not in text


@pytest.mark.parametrize("status", [401, 403])
def test_C08_a_web_page_may_not_be_sendgrids_answer(
    server: Script, api: SendGridApi, status: int
) -> None:
    """A proxy or firewall on the way answers so; nothing of the page is repeated."""
    page = b"<html><title>Blocked</title>Your network policy, ann@example.com</html>"
    server.say(status, page, Content_Type="text/html; charset=utf-8")
    with pytest.raises(AuthError, match="as a proxy or firewall on the way gives one") as caught:
        api.scopes()
    assert "policy" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [{"errors": ["Maximum credits exceeded"], "message": "error"},  # openwhyd#178
     {"error": "Maximum credits exceeded"}, {"message": "Maximum credits exceeded"},
     {"errors": {"message": "Maximum credits exceeded"}},
     {"errors": [None, 5, {"message": "Maximum credits exceeded"}]}],
)  # fmt: skip
def test_C08_sendgrids_words_are_found_in_any_arrangement(
    server: Script, api: SendGridApi, body: object
) -> None:
    """Texts, an object, or only a message."""
    server.say(401, body)
    with pytest.raises(AuthError, match=CREDITS):
        api.scopes()
