"""A caller of the emulator that knows no more of SendGrid than its API description."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import requests

from local.sendgrid_emulator.process import Emulator
from tests.support import openapi

MARKETING = "/v3/marketing"
CONTACTS = f"{MARKETING}/contacts"
LISTS = f"{MARKETING}/lists"
FIELDS = f"{MARKETING}/field_definitions"
WAIT_SECONDS = 10
Seen = TypeVar("Seen")
EMAIL, FIRST_NAME, LAST_NAME, PHONE, EXTERNAL_ID = (
    *("_rf2_T", "_rf0_T", "_rf1_T"),
    *("_rf10_T", "_rf25_T"),
)


class SendGrid:
    """Calls the API with one key, and the upload origin without any."""

    def __init__(self, emulator: Emulator, api_key: str | None = None) -> None:
        """Use the emulator's own key unless another one is given."""
        self.base_url = emulator.base_url
        self.admin = emulator.admin
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {api_key or emulator.api_key}"
        self.storage = requests.Session()

    def call(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        """Send one request to the API and return the answer, whatever it is, if both are as Twilio
        describes them.
        """
        url = self.base_url + path
        answer = self.http.request(method, url, json=body, timeout=30, **more)
        assert openapi.deviations(answer) == []
        return answer

    def upsert(self, *contacts: dict[str, Any], list_ids: Sequence[str] = ()) -> dict[str, Any]:
        """Upsert contacts by JSON and return the finished job."""
        body = {"contacts": list(contacts), "list_ids": list(list_ids)}
        answer = self.call("PUT", CONTACTS, body)
        assert answer.status_code == 202, answer.text
        return self.wait(answer.json()["job_id"])

    def refused(self, contacts: object, **more: object) -> tuple[int, str | None, str]:
        """Upsert and return status, field and message of the first error."""
        answer = self.call("PUT", CONTACTS, {"contacts": contacts, **more})
        return first_error(answer)

    def start_import(self, mapping: Sequence[str | None], **more: object) -> dict[str, Any]:
        """Create a CSV import and return the answer."""
        body = {"file_type": "csv", "field_mappings": list(mapping), **more}
        answer = self.call("PUT", f"{CONTACTS}/imports", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def upload(
        self,
        started: Mapping[str, Any],
        data: str | bytes | Iterable[bytes],
        headers: Mapping[str, str | None] | None = None,
    ) -> requests.Response:
        """Upload with the given headers; `headers` adds some, or with None takes one away."""
        wanted: dict[str, str | None] = {
            item["header"]: item["value"] for item in started["upload_headers"]
        }
        wanted.update(headers or {})
        return self.storage.put(
            started["upload_uri"],
            data=data,
            headers={name: value for name, value in wanted.items() if value is not None},
            timeout=30,
        )

    def import_csv(
        self, mapping: Sequence[str | None], data: str | bytes, **more: object
    ) -> dict[str, Any]:
        """Import a CSV file and return the finished job."""
        started = self.start_import(mapping, **more)
        body = data.encode() if isinstance(data, str) else data
        answer = self.upload(started, body)
        assert answer.status_code == 200, answer.text
        return self.wait(started["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is now."""
        answer = self.call("GET", f"{CONTACTS}/imports/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, job_id: str) -> dict[str, Any]:
        """Return a job once its status is terminal."""
        return wait_for(lambda: self.job(job_id), lambda job: job["status"] != "pending")

    def errors(self, job: Mapping[str, Any]) -> requests.Response:
        """Download a job's errors file, without a key."""
        return self.storage.get(job["results"]["errors_url"], timeout=30)

    def contact(self, email: str) -> dict[str, Any]:
        """Return the contact of an address."""
        answer = self.call("POST", f"{CONTACTS}/search/emails", {"emails": [email]})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["result"][email.lower()]["contact"])


def wait_for(look: Callable[[], Seen], is_there: Callable[[Seen], bool]) -> Seen:
    """Look again and again until something is there, and return what was seen."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_there(seen := look()):
        assert time.monotonic() < deadline, f"still {seen} after {WAIT_SECONDS} s"
        time.sleep(0.005)
    return seen


def first_error(answer: requests.Response) -> tuple[int, str | None, str]:
    """Return status, field and message of an answer that says no."""
    error = answer.json()["errors"][0]
    return answer.status_code, error["field"], error["message"]


def counts(job: Mapping[str, Any]) -> dict[str, int]:
    """Return a job's counts by short name."""
    return {
        name.removesuffix("_count"): value
        for name, value in job["results"].items()
        if name.endswith("_count")
    }
