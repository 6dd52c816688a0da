"""The calls of `SendGridApi` about suppressions: unsubscribes, global ones and those of
groups, spam reports, invalid addresses, bounces and blocks.

Facts are from Twilio's OpenAPI description tsg_suppressions_v3. Nothing here lifts one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from contact_sync.base.errors import AnswerTooLarge, RetryableError
from contact_sync.base.suppressed import Suppressed
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.sendgrid.answer_parts import objects, part, text
from contact_sync.sendgrid.transport import Transport

log = logging.getLogger(__name__)

MAX_SUPPRESSED = 500  # addresses a call; no limit is documented
UNSUBSCRIBES_PAGE = 500  # OAS: at most 500 a call
MAX_UNSUBSCRIBE_PAGES = 10_000


LISTS = {
    SuppressionKind.UNSUBSCRIBE: "unsubscribes",
    SuppressionKind.SPAM_REPORT: "spam_reports",
    SuppressionKind.INVALID: "invalid_emails",
    SuppressionKind.BOUNCE: "bounces",
    SuppressionKind.BLOCK: "blocks",
}
"""What the paths `suppression/…` call each kind."""


def _suppressed(item: dict[str, Any], created: str, what: str) -> Suppressed:
    group = part(item, "group_id", int, what) if "group_id" in item else 0
    since = item.get(created)
    known = isinstance(since, int) and not isinstance(since, bool) and 0 <= since < 1 << 35
    return Suppressed(text(item, "email", what).lower(), group, since if known else None)


def _in_pages(found: list[Suppressed]) -> Iterator[list[Suppressed]]:
    for start in range(0, len(found), UNSUBSCRIBES_PAGE):
        yield found[start : start + UNSUBSCRIBES_PAGE]


class SuppressionCalls:
    """A part of `SendGridApi`, which gives the transport."""

    _transport: Transport

    def suppress(self, emails: Sequence[str]) -> None:
        """`POST asm/suppressions/global`: unsubscribe up to 500 addresses from everything.

        Repeating it changes nothing.
        """
        body = {"recipient_emails": list(emails)}
        self._transport.call("POST", "/v3/asm/suppressions/global", json=body, repeatable=True)

    def is_suppressed(self, email: str) -> bool:
        """Whether an address is globally unsubscribed (`GET asm/suppressions/global/{email}`)."""
        route = "/v3/asm/suppressions/global/{email}"
        path = route.replace("{email}", quote(email, safe=""))
        answer = self._transport.call("GET", path, route=route, repeatable=True)
        if answer and not answer.get("recipient_email"):
            raise RetryableError(f"GET {route}: the answer doesn't say whether it is unsubscribed")
        return bool(answer)

    def has_reported_spam(self, email: str) -> bool:
        """Whether a mail to an address was called spam (`GET suppression/spam_reports/{email}`)."""
        route = "/v3/suppression/spam_reports/{email}"
        path = route.replace("{email}", quote(email, safe=""))
        body = self._transport.call("GET", path, route=route, repeatable=True)
        return bool(objects(body, "result", f"GET {route}"))

    def suppressed_addresses(self) -> set[str]:
        """All addresses, lower case, that get no mail because somebody said so: unsubscribed from
        everything, or having called a mail spam (`GET suppression/…`)."""
        return self._addresses("unsubscribes") | self._addresses("spam_reports")

    def _addresses(self, kind: str) -> set[str]:
        pages = self._pages(f"/v3/suppression/{kind}", None)
        return {one.email for page in pages for one in page}

    def suppressions(self, kind: SuppressionKind, since: int | None) -> Iterator[list[Suppressed]]:
        """All suppressions of a kind, at most 500 at a time; `since`: only those made at or after
        this epoch second (those of groups: all the same).

        Raises RetryableError for an answer that isn't as described, or has no end, AnswerTooLarge
        where a group has more than fit into one answer.
        """
        if kind is not SuppressionKind.GROUP_UNSUBSCRIBE:
            yield from self._pages(f"/v3/suppression/{LISTS[kind]}", since)
            return
        try:
            found = self._of_all_groups()
        except AnswerTooLarge:
            log.info("SendGrid's groups are read one by one: all at once they are too many")
            for group in self.groups():
                yield from _in_pages(self._of_group(group))
        else:
            yield from _in_pages(found)

    def _of_all_groups(self) -> list[Suppressed]:
        """All groups in one answer, because no paging is described (OAS)."""
        path = "/v3/asm/suppressions"
        body = self._transport.call("GET", path, repeatable=True)
        items = objects(body, "result", f"GET {path}")
        return [_suppressed(item, "created_at", f"GET {path}") for item in items]

    def _of_group(self, group: int) -> list[Suppressed]:
        """One group, also in one answer, which has the addresses only (OAS): a third of the size,
        and nothing says since when."""
        route = "/v3/asm/groups/{id}/suppressions"
        path = route.replace("{id}", str(group))
        try:
            body = self._transport.call("GET", path, route=route, repeatable=True)
        except AnswerTooLarge as error:
            raise AnswerTooLarge(
                f"{error}: group {group} has more addresses than a run reads. Take the block "
                f"`suppressions` out of the definition, or have several groups in its place"
            ) from None
        emails = part(body, "result", list, f"GET {route}")
        return [Suppressed(str(email).lower(), group, None) for email in emails]

    def _pages(self, path: str, since: int | None) -> Iterator[list[Suppressed]]:
        start = "" if since is None else f"&start_time={since}"
        for page in range(MAX_UNSUBSCRIBE_PAGES):
            query = f"?limit={UNSUBSCRIBES_PAGE}&offset={page * UNSUBSCRIBES_PAGE}{start}"
            body = self._transport.call("GET", path + query, route=path, repeatable=True)
            items = objects(body, "result", f"GET {path}")
            yield [_suppressed(item, "created", f"GET {path}") for item in items]
            if len(items) < UNSUBSCRIBES_PAGE:
                return
        raise RetryableError(f"GET {path}: more than {page * UNSUBSCRIBES_PAGE} addresses")

    def groups(self) -> list[int]:
        """The ids of all unsubscribe groups (`GET asm/groups`)."""
        path = "/v3/asm/groups"
        body = self._transport.call("GET", path, repeatable=True)
        what = f"GET {path}"
        return [part(item, "id", int, what) for item in objects(body, "result", what)]

    def groups_of(self, email: str) -> set[int]:
        """The groups that an address is unsubscribed from (`GET asm/suppressions/{email}`)."""
        route = "/v3/asm/suppressions/{email}"
        path = route.replace("{email}", quote(email, safe=""))
        body = self._transport.call("GET", path, route=route, repeatable=True)
        what = f"GET {route}"
        groups = objects(body, "suppressions", what)
        return {part(group, "id", int, what) for group in groups if group.get("suppressed")}

    def in_group(self, group: int, emails: Sequence[str]) -> set[str]:
        """Those of up to 500 addresses that are unsubscribed from a group, lower case."""
        route = "/v3/asm/groups/{id}/suppressions/search"
        path, body = route.replace("{id}", str(group)), {"recipient_emails": list(emails)}
        answer = self._transport.call("POST", path, json=body, route=route, repeatable=True)
        return {str(email).lower() for email in part(answer, "result", list, f"POST {route}")}

    def suppress_in_group(self, group: int, emails: Sequence[str]) -> None:
        """`POST asm/groups/{id}/suppressions`: unsubscribe up to 500 addresses from a group.

        Repeating it changes nothing. If the group is gone, SendGrid unsubscribes them from
        everything (OAS), and the answer says so (recording of 2026).
        """
        route = "/v3/asm/groups/{id}/suppressions"
        path, body = route.replace("{id}", str(group)), {"recipient_emails": list(emails)}
        answer = self._transport.call("POST", path, json=body, route=route, repeatable=True)
        if answer.get("global"):
            log.warning("Group %d is gone: SendGrid unsubscribed from everything instead", group)
