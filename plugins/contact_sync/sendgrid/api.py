"""`SendGridApi`: the calls that the sync makes, typed. Nothing else may call SendGrid.

Facts are from Twilio's OpenAPI descriptions (tsg_mc_contacts_v3 and others) and from recordings
of the real service; "delete all contacts" and `DELETE /lists/{id}` do not exist here on purpose.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from contact_sync.base.errors import FateUnknown, RequestRefused, RetryableError
from contact_sync.base.vocabulary import FieldType, Job, JobStatus, SendGridField
from contact_sync.sendgrid.errors_file import MAX_ERRORS_FILE_BYTES
from contact_sync.sendgrid.transport import Transport

log = logging.getLogger(__name__)

MAX_SUPPRESSED = 500  # addresses a call; no limit is documented
MAX_LOOKUP = 100  # addresses per search, ids per delete (OAS; a longer URL gets 414)
MAX_SEARCHED_ADDRESS = 100  # characters; OAS: search/emails refuses a call with a longer one
MAX_PAGES = 20  # of 1000 lists; an account has at most 1000
UNSUBSCRIBES_PAGE = 500  # OAS: at most 500 a call
MAX_UNSUBSCRIBE_PAGES = 10_000
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class ImportUpload:
    """Where an import's file goes. `url` is signed: never log or store it."""

    job_id: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class _File(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class SendGridApi:
    """One account, for one thread; `base_url` without `/v3`, `options` as in Transport."""

    def __init__(self, base_url: str, api_key: str, **options: Any) -> None:
        self._transport = Transport(base_url, api_key, **options)
        self._another = partial(SendGridApi, base_url, api_key, **options)
        self.key_mark = self._transport.key_mark

    @contextmanager
    def for_another_thread(self) -> Iterator[SendGridApi]:
        """The same account over connections of its own."""
        other = self._another()
        try:
            yield other
        finally:
            other.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def scopes(self) -> set[str]:
        """What the key may do (`GET /v3/scopes`)."""
        body = self._transport.call("GET", "/v3/scopes", repeatable=True)
        return {str(scope) for scope in _part(body, "scopes", list, "GET /v3/scopes")}

    def lists(self) -> dict[str, str]:
        """All contact lists: name → id."""
        found: dict[str, str] = {}
        token, route = "", "/v3/marketing/lists"
        for _page in range(MAX_PAGES):
            query = f"?page_size=1000{token}"
            body = self._transport.call("GET", route + query, route=route, repeatable=True)
            for item in _objects(body, "result", f"GET {route}"):
                found.setdefault(str(item["name"]), str(item["id"]))
            following = (body.get("_metadata") or {}).get("next") or ""
            if "page_token=" not in following:
                return found
            token = "&page_token=" + following.split("page_token=")[1].split("&")[0]
        return found

    def fields(self) -> list[SendGridField]:
        """All field definitions; `custom_fields` is absent when none exist."""
        path = "/v3/marketing/field_definitions"
        body = {"custom_fields": []} | self._transport.call("GET", path, repeatable=True)
        return [
            SendGridField(
                name=str(item["name"]),
                id=str(item["id"]),
                type=FieldType(item["field_type"]),
                custom=key == "custom_fields",
                read_only=bool(item.get("read_only", False)),
            )
            for key in ("reserved_fields", "custom_fields")
            for item in _objects(body, key, f"GET {path}")
        ]

    def create_field(self, name: str, field_type: FieldType) -> str:
        """`POST /v3/marketing/field_definitions`: create a custom field and return its id.

        Its type can't be changed later (OAS: PATCH changes the name only). Only the command
        `fields --create` does this.
        """
        path = "/v3/marketing/field_definitions"
        body = {"name": name, "field_type": str(field_type)}
        answer = self._transport.call("POST", path, json=body, repeatable=False)
        return str(_part(answer, "id", str, f"POST {path}"))

    def upsert_contacts(self, body: bytes) -> str:
        """`PUT /v3/marketing/contacts`: queue an upsert and return its job id.

        Exactly `Content-Type: application/json`: a charset parameter is refused.
        """
        answer = self._transport.call(
            "PUT",
            "/v3/marketing/contacts",
            data=body,
            headers={"Content-Type": "application/json"},
            repeatable=False,
        )
        return _job_id(answer, "PUT /v3/marketing/contacts")

    def create_import(self, field_ids: Sequence[str], list_id: str | None) -> ImportUpload:
        """`PUT /v3/marketing/contacts/imports`: an empty import; carries no personal data.

        Repeating it leaves an orphan job without a file, which changes nothing.
        """
        body: dict[str, Any] = {"file_type": "csv", "field_mappings": list(field_ids)}
        if list_id:
            body["list_ids"] = [list_id]
        path = "/v3/marketing/contacts/imports"
        what = f"PUT {path}"
        answer = self._transport.call("PUT", path, json=body, repeatable=True)
        url = _part(answer, "upload_uri", str, what)
        self._transport.mask_url(url)
        given = _objects(answer, "upload_headers", what)
        headers = {str(header["header"]): str(header["value"]) for header in given}
        return ImportUpload(_job_id(answer, what), url, headers)

    def upload(self, target: ImportUpload, file: _File, size: int) -> None:
        """PUT the file once; never call it twice for one import."""
        self._transport.put_file(target.url, target.headers, file, size)

    def job(self, job_id: str) -> Job:
        """`GET /v3/marketing/contacts/imports/{id}` for import, upsert and delete jobs alike.

        An undocumented status counts as pending; only a status ends a job, never its counts.
        """
        route = "/v3/marketing/contacts/imports/{id}"
        path = route.replace("{id}", quote(job_id, safe=""))
        body = self._transport.call("GET", path, route=route, repeatable=True)
        raw = str(body.get("status", ""))
        known = raw in set(JobStatus)
        if not known:
            log.warning("Job %s has the unknown status %r: treated as pending", job_id, raw[:40])
        results = _part(body, "results", dict, f"GET {route}") if body.get("results") else {}
        self._transport.mask_url(str(results.get("errors_url") or ""))
        return Job(
            job_id=job_id,
            status=JobStatus(raw) if known else JobStatus.PENDING,
            requested=int(results.get("requested_count") or 0),
            created=int(results.get("created_count") or 0),
            updated=int(results.get("updated_count") or 0),
            deleted=int(results.get("deleted_count") or 0),
            errored=int(results.get("errored_count") or 0),
            errors_url=results.get("errors_url") or None,
        )

    def errors_file(self, job: Job) -> bytes:
        """The raw errors file of a job; size-capped, fetched without the key."""
        return self._transport.get_file(job.errors_url or "", MAX_ERRORS_FILE_BYTES)

    def contacts_by_email(self, emails: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The contacts that exist, by address; at most 100 addresses a call.

        SendGrid answers 404 when none of them exists. A match by an alternate address isn't one.
        Addresses that aren't searchable are left out: whether they exist can't be known.
        """
        path = "/v3/marketing/contacts/search/emails"
        sought = list(filter(is_searchable, emails))
        if not sought:
            return {}
        try:
            body = self._transport.call("POST", path, json={"emails": sought}, repeatable=True)
        except RequestRefused as error:
            if error.is_missing:
                return {}
            raise
        found = _part(body, "result", dict, f"POST {path}")
        return {
            email.lower(): entry["contact"]
            for email, entry in found.items()
            if isinstance(entry, dict)
            and isinstance(entry.get("contact"), dict)
            and str(entry["contact"].get("email", "")).lower() == email.lower()
        }

    def contact_ids(self, emails: Sequence[str]) -> dict[str, str]:
        """Contact id by address for those that exist, as in contacts_by_email."""
        found = self.contacts_by_email(emails)
        return {email: str(contact["id"]) for email, contact in found.items()}

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

    def suppressed_addresses(self) -> set[str]:
        """All globally unsubscribed addresses, lower case (`GET suppression/unsubscribes`)."""
        path, found = "/v3/suppression/unsubscribes", set[str]()
        for page in range(MAX_UNSUBSCRIBE_PAGES):
            query = f"?limit={UNSUBSCRIBES_PAGE}&offset={page * UNSUBSCRIBES_PAGE}"
            body = self._transport.call("GET", path + query, route=path, repeatable=True)
            items = _objects(body, "result", f"GET {path}")
            found |= {str(item["email"]).lower() for item in items}
            if len(items) < UNSUBSCRIBES_PAGE:
                return found
        raise RetryableError(f"GET {path}: more than {page * UNSUBSCRIBES_PAGE} addresses")

    def delete_contacts(self, contact_ids: Sequence[str]) -> str:
        """`DELETE /v3/marketing/contacts?ids=…`: queue a deletion of 1 to 100 contacts by id."""
        if not 1 <= len(contact_ids) <= MAX_LOOKUP:
            raise ValueError("delete_contacts takes 1 to 100 ids")
        route = "/v3/marketing/contacts"
        ids = ",".join(quote(contact_id, safe="") for contact_id in contact_ids)
        answer = self._transport.call("DELETE", f"{route}?ids={ids}", route=route, repeatable=False)
        return _job_id(answer, f"DELETE {route}")

    def unlist_contacts(self, list_id: str, contact_ids: Sequence[str]) -> str:
        """`DELETE /v3/marketing/lists/{id}/contacts`: queue taking 1 to 100 contacts off a list.

        Raises RequestRefused with status 404 when the list or one of the contacts doesn't exist.
        """
        if not list_id or not 1 <= len(contact_ids) <= MAX_LOOKUP:
            raise ValueError("unlist_contacts takes a list and 1 to 100 ids")
        route = "/v3/marketing/lists/{id}/contacts"
        path = route.replace("{id}", quote(list_id, safe=""))
        ids = ",".join(quote(contact_id, safe="") for contact_id in contact_ids)
        answer = self._transport.call(
            "DELETE", f"{path}?contact_ids={ids}", route=route, repeatable=False
        )
        return _job_id(answer, f"DELETE {route}")


def is_searchable(email: str) -> bool:
    """Whether SendGrid can find a contact by this address."""
    return len(email) <= MAX_SEARCHED_ADDRESS


def _part(answer: dict[str, Any], key: str, kind: type[_Part], what: str) -> _Part:
    """What an answer must hold. Raises RetryableError: nothing may be concluded without it."""
    part = answer.get(key)
    if not isinstance(part, kind):
        raise RetryableError(f"{what}: SendGrid's answer doesn't hold what it should: {key}")
    return part


def _objects(answer: dict[str, Any], key: str, what: str) -> list[dict[str, Any]]:
    """A list of objects that an answer must hold."""
    items = _part(answer, key, list, what)
    if not all(isinstance(item, dict) for item in items):
        raise RetryableError(f"{what}: SendGrid's answer holds no objects in {key}")
    return items


def _job_id(answer: dict[str, Any], what: str) -> str:
    job_id = answer.get("job_id")
    if not job_id:
        raise FateUnknown(f"{what}: SendGrid accepted the call but gave no job id")
    return str(job_id)
