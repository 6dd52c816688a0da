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
from typing import IO, Any, Protocol
from urllib.parse import quote

from contact_sync.base.errors import RequestRefused, RetryableError
from contact_sync.base.vocabulary import FieldType, Job, JobStatus, SendGridField
from contact_sync.sendgrid.answer_parts import (
    count,
    objects,
    optional_text,
    part,
    queued_job,
    text,
)
from contact_sync.sendgrid.erasure_calls import ErasureCalls
from contact_sync.sendgrid.errors_file import MAX_ERRORS_FILE_BYTES
from contact_sync.sendgrid.export_calls import ExportCalls
from contact_sync.sendgrid.retries import TellWait
from contact_sync.sendgrid.suppression_calls import SuppressionCalls
from contact_sync.sendgrid.transport import Transport

log = logging.getLogger(__name__)

MAX_LOOKUP = 100  # addresses per search, ids per delete (OAS; a longer URL gets 414)
MAX_SEARCHED_ADDRESS = 100  # characters; OAS: search/emails refuses a call with a longer one
MAX_PAGES = 20  # of 1000 lists; an account has at most 1000


@dataclass(frozen=True, slots=True)
class ImportUpload:
    """Where an import's file goes. `url` is signed: never log or store it."""

    job_id: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class _File(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class SendGridApi(SuppressionCalls, ExportCalls, ErasureCalls):
    """One account, for one thread; `base_url` without `/v3`, `options` as in Transport."""

    def __init__(self, base_url: str, api_key: str, **options: Any) -> None:
        self._transport = Transport(base_url, api_key, **options)
        self._another = partial(SendGridApi, base_url, api_key, **options)
        self.key_mark = self._transport.key_mark

    @contextmanager
    def for_another_thread(self) -> Iterator[SendGridApi]:
        """The same account over connections of its own."""
        other = self._another()
        other.tell_waits(self._transport.tell_wait)
        try:
            yield other
        finally:
            other.close()

    def tell_waits(self, tell: TellWait) -> None:
        """From now on `tell` hears why a call waits, and for how many seconds."""
        self._transport.tell_wait = tell

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def scopes(self) -> set[str]:
        """What the key may do (`GET /v3/scopes`), which every account answers."""
        try:
            body = self._transport.call("GET", "/v3/scopes", repeatable=True)
        except RequestRefused as error:
            if error.status != 404:
                raise
            raise error.with_advice("this isn't the API's URL: correct the host") from None
        return {str(scope) for scope in part(body, "scopes", list, "GET /v3/scopes")}

    def lists(self) -> dict[str, str]:
        """All contact lists: name → id."""
        found: dict[str, str] = {}
        token, route = "", "/v3/marketing/lists"
        for _page in range(MAX_PAGES):
            query = f"?page_size=1000{token}"
            body = self._transport.call("GET", route + query, route=route, repeatable=True)
            what = f"GET {route}"
            for item in objects(body, "result", what):
                found.setdefault(text(item, "name", what), text(item, "id", what))
            following = optional_text(
                part({"_metadata": None} | body, "_metadata", dict, what), "next"
            )
            if "page_token=" not in following:
                return found
            token = "&page_token=" + following.split("page_token=")[1].split("&")[0]
        return found

    def fields(self) -> list[SendGridField]:
        """All field definitions; `custom_fields` is absent when none exist."""
        path = "/v3/marketing/field_definitions"
        body = {"custom_fields": []} | self._transport.call("GET", path, repeatable=True)
        what = f"GET {path}"
        if not objects(body, "reserved_fields", what):
            raise RetryableError(f"{what}: SendGrid's answer has no reserved field")
        found = [
            _field(item, what, custom=key == "custom_fields")
            for key in ("reserved_fields", "custom_fields")
            for item in objects(body, key, what)
        ]
        return [field for field in found if field is not None]

    def create_field(self, name: str, field_type: FieldType) -> str:
        """`POST /v3/marketing/field_definitions`: create a custom field and return its id.

        Its type can't be changed later (OAS: PATCH changes the name only). Only the command
        `fields --create` does this.
        """
        path = "/v3/marketing/field_definitions"
        body = {"name": name, "field_type": str(field_type)}
        answer = self._transport.call("POST", path, json=body, repeatable=False)
        return text(answer, "id", f"POST {path}")

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
        return queued_job(answer, "PUT /v3/marketing/contacts")

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
        url = text(answer, "upload_uri", what)
        self._transport.mask_url(url)
        given = objects(answer, "upload_headers", what)
        headers = {text(item, "header", what): part(item, "value", str, what) for item in given}
        return ImportUpload(queued_job(answer, what), url, headers)

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
        results = part({"results": None} | body, "results", dict, f"GET {route}")
        errors_url = optional_text(results, "errors_url")
        self._transport.mask_url(errors_url)
        return Job(
            job_id=job_id,
            status=JobStatus(raw) if known else JobStatus.PENDING,
            requested=count(results, "requested_count"),
            created=count(results, "created_count"),
            updated=count(results, "updated_count"),
            deleted=count(results, "deleted_count"),
            errored=count(results, "errored_count"),
            errors_url=errors_url or None,
        )

    def errors_file(self, job: Job, file: IO[bytes]) -> None:
        """Write the errors file of a job, as it comes, into `file`; size-capped, fetched without
        the key."""
        self._transport.get_file(job.errors_url or "", file, MAX_ERRORS_FILE_BYTES)

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
        found = part(body, "result", dict, f"POST {path}")
        return {
            email.lower(): entry["contact"]
            for email, entry in found.items()
            if isinstance(entry, dict)
            and isinstance(entry.get("contact"), dict)
            and str(entry["contact"].get("email", "")).lower() == email.lower()
        }

    def count_contacts(self) -> int:
        """How many contacts the account has (`GET contacts/count`); new ones are counted late."""
        path = "/v3/marketing/contacts/count"
        body = self._transport.call("GET", path, repeatable=True)
        return part(body, "contact_count", int, f"GET {path}")

    def contact_ids(self, emails: Sequence[str]) -> dict[str, str]:
        """Contact id by address for those that exist, as in contacts_by_email."""
        found = self.contacts_by_email(emails)
        what = "POST /v3/marketing/contacts/search/emails"
        return {email: text(contact, "id", what) for email, contact in found.items()}

    def delete_contacts(self, contact_ids: Sequence[str]) -> str:
        """`DELETE /v3/marketing/contacts?ids=…`: queue a deletion of 1 to 100 contacts by id."""
        if not 1 <= len(contact_ids) <= MAX_LOOKUP:
            raise ValueError("delete_contacts takes 1 to 100 ids")
        route = "/v3/marketing/contacts"
        ids = ",".join(quote(contact_id, safe="") for contact_id in contact_ids)
        answer = self._transport.call("DELETE", f"{route}?ids={ids}", route=route, repeatable=False)
        return queued_job(answer, f"DELETE {route}")

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
        return queued_job(answer, f"DELETE {route}")


def is_searchable(email: str) -> bool:
    """Whether SendGrid can find a contact by this address."""
    return len(email) <= MAX_SEARCHED_ADDRESS


def _field(item: dict[str, Any], what: str, *, custom: bool) -> SendGridField | None:
    """A field definition; None = of a type that this version doesn't know: it can't be mapped."""
    name, kind = text(item, "name", what), text(item, "field_type", what)
    if kind not in set(FieldType):
        log.warning("SendGrid's field %r has the unknown type %r: left out", name[:100], kind[:40])
        return None
    return SendGridField(
        name=name,
        id=text(item, "id", what),
        type=FieldType(kind),
        custom=custom,
        read_only=item.get("read_only") is True,
    )
