"""The administrator's side of a running emulator, for tests and benchmarks."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import requests

from local.sendgrid_emulator.model.job_faults import JobFaultKind

READ_BYTES = 1 << 20


class AdminError(Exception):
    """The emulator refused an administrator's request: the caller made a mistake."""


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file that arrived at the upload origin."""

    number: int
    job_id: str
    received_at: str
    size: int
    headers: dict[str, str]
    multipart: bool
    admin: Admin

    def body(self) -> bytes:
        """Return the file, decompressed."""
        return self.admin.send("GET", f"uploads/{self.number}/body").content

    def raw_body(self) -> bytes:
        """Return the file as it came."""
        return self.admin.send("GET", f"uploads/{self.number}/body?raw").content


class Admin:
    """Changes and inspects one emulator; nothing here counts as a call."""

    def __init__(self, base_url: str) -> None:
        """Speak to the emulator at `base_url`."""
        self._url = f"{base_url}/__admin"
        self._session = requests.Session()
        self._session.trust_env = False  # never through a proxy

    def send(
        self, method: str, path: str, body: object = None, *, stream: bool = False
    ) -> requests.Response:
        """Send one request; raise AdminError on anything but success."""
        data = None if body is None else orjson.dumps(body)
        url = f"{self._url}/{path}"
        response = self._session.request(method, url, data=data, stream=stream, timeout=120)
        if not response.ok:
            raise AdminError(f"{method} /__admin/{path}: {response.status_code} {response.text}")
        return response

    def reset(self) -> None:
        """Start over with an empty account and the settings of the start."""
        self.send("POST", "reset")

    def settings(self, **changes: object) -> dict[str, Any]:
        """Change settings until the next reset and return all of them."""
        return dict(self.send("PATCH", "settings", changes).json())

    def now(self) -> float:
        """Return the account's time in epoch seconds."""
        return float(self.send("GET", "clock").json()["now"])

    def advance(self, seconds: float) -> float:
        """Move the account's clock forward and return its time."""
        return float(self.send("POST", "clock", {"advance": seconds}).json()["now"])

    def iter_contacts(self, emails: Collection[str] = ()) -> Iterator[dict[str, Any]]:
        """Yield all contacts as they are in answers, or those of some addresses."""
        query = f"?{urlencode([('email', email) for email in emails])}" if emails else ""
        with self.send("GET", f"contacts{query}", stream=True) as response:
            response.raw.auto_close = False  # or its end would close the lines not read yet
            lines = io.BufferedReader(response.raw, READ_BYTES)
            for line in lines:
                yield orjson.loads(line)

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Return all contacts by address; one without an address stands under its id."""
        return {contact["email"] or contact["id"]: contact for contact in self.iter_contacts()}

    def put_contacts(self, *contacts: dict[str, Any], list_ids: list[str] | None = None) -> str:
        """Upsert contacts without the delay, to prepare an account, and return the job's id."""
        body = {"contacts": contacts, "list_ids": list_ids or []}
        return str(self.send("PUT", "contacts", body).json()["job_id"])

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls to both origins in order: method, path, route, status and so on."""
        return list(self.send("GET", "calls").json())

    def call_body(self, number: int) -> bytes:
        """Return the body of a call to the API; the emulator keeps the last 64 MB of them."""
        return self.send("GET", f"calls/{number}/body").content

    def uploads(self) -> list[UploadRecord]:
        """Return the files that arrived; the emulator keeps the last 200."""
        return [UploadRecord(**item, admin=self) for item in self.send("GET", "uploads").json()]

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs as the API shows them, with kind, unchanged_count and failure."""
        return list(self.send("GET", "jobs").json())

    def fault(self, method: str, route: str, **what: object) -> None:
        """Order a fault: nth, times, delay, when, status, body, headers, reset, truncate.

        `route` is a path template such as `/v3/marketing/contacts/imports/{job_id}`, or `*`.
        """
        self.send("POST", "faults", {"method": method, "route": route, **what})

    def job_fault(
        self,
        kind: JobFaultKind,
        **what: object,
    ) -> None:
        """Order a fault of a job: nth, job: json, csv, delete, …, and what `job_faults` says."""
        self.send("POST", "job-faults", {"kind": kind, **what})

    def faults(self) -> dict[str, list[dict[str, Any]]]:
        """Return the faults that are still to come, under `calls` and `jobs`."""
        return dict(self.send("GET", "faults").json())

    def clear_faults(self) -> None:
        """Take back the faults that are still to come."""
        self.send("DELETE", "faults")

    def create_list(self, name: str) -> str:
        """Create a list and return its id."""
        return str(self.send("POST", "lists", {"name": name}).json()["id"])

    def create_field(self, name: str, field_type: str) -> str:
        """Create a custom field that can be used at once and return its id."""
        body = {"name": name, "field_type": field_type}
        return str(self.send("POST", "fields", body).json()["id"])

    def suppress(self, *emails: str, created: int | None = None, kind: str | None = None) -> None:
        """Suppress addresses globally, as of an epoch second if given; `kind` instead of globally:
        blocks, bounces, invalid_emails or spam_reports.
        """
        body = {"emails": emails, "created": created, "kind": kind}
        self.send("POST", "suppressions", body)

    def suppressions(self) -> dict[str, int]:
        """Return the globally suppressed addresses, lower-cased, with their epoch seconds."""
        return dict(self.send("GET", "suppressions").json())

    def suppressed(self) -> dict[str, list[str]]:
        """Return who gets no mail: unsubscribes, groups, blocks, … → addresses, lower-cased."""
        return dict(self.send("GET", "suppressed").json())

    def audit(self, addresses: Collection[str]) -> dict[str, Any]:
        """Return what brought contacts, see `admin.sent.audit`: which of these addresses, and which
        that got no mail then."""
        return dict(self.send("POST", "sent", {"addresses": sorted(addresses)}).json())

    def erased(self) -> list[str]:
        """Return the addresses that erase jobs named, lower-cased and sorted."""
        return list(self.send("GET", "erased").json())

    def create_group(self) -> int:
        """Create an unsubscribe group and return its number."""
        return int(self.send("POST", "groups").json()["id"])

    def add_key(self, key: str, permission: str) -> None:
        """Give a key a permission until the next reset: full, suppressions (no erasures),
        marketing (no suppressions), sees_suppressions, read or none.
        """
        self.send("POST", "keys", {"key": key, "permission": permission})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
