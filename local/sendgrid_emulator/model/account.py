"""Everything one SendGrid account holds, and the service around it.

A reset replaces the account as a whole; keys and addresses belong to the service and stay.
"""

from __future__ import annotations

import secrets
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from starlette.requests import Request

from local.sendgrid_emulator.model.access import Permission
from local.sendgrid_emulator.model.call_faults import FaultList
from local.sendgrid_emulator.model.clock import Clock, iso
from local.sendgrid_emulator.model.contacts import Contacts
from local.sendgrid_emulator.model.exports import Export
from local.sendgrid_emulator.model.fields import FieldDefinition, FieldDefinitions
from local.sendgrid_emulator.model.jobs import Job, JobQueue
from local.sendgrid_emulator.model.rate_limits import RateLimiter
from local.sendgrid_emulator.model.refusal import Refusal
from local.sendgrid_emulator.model.sent import SentLog
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.model.spool import Spool
from local.sendgrid_emulator.model.suppressions import Suppressions

MAX_CALLS = 100_000
MAX_BODY_BYTES = 64 * 1024 * 1024  # of all JSON requests that are kept
MAX_JOBS = 20_000
MAX_FILES = 200  # uploads, and as many error files and exports: each holds a file descriptor
MAX_UPLOAD_BYTES = 6_000_000_000  # of all uploads that are kept: one of the largest at least
MAX_LISTS = 1000  # Twilio docs, Create list
MAX_SNAPSHOTS = 500


@dataclass(slots=True)
class ContactList:
    """A list; its contacts know their lists, not the other way round."""

    id: str
    name: str


@dataclass(slots=True, eq=False)
class Import:
    """A CSV import from PUT contacts/imports on."""

    job: Job
    mapping: list[FieldDefinition | None]
    list_ids: tuple[str, ...]
    headers: dict[str, str]
    upload: Upload | None = None  # until the job has read it
    uploaded: bool = False
    started: bool = False


@dataclass(slots=True, eq=False)
class Upload:
    """A file that arrived at an upload address; `only_counted`: as `store_only` said then."""

    number: int
    job_id: str
    received_at: float
    headers: dict[str, str]
    spool: Spool
    multipart: bool
    only_counted: bool

    def answer(self) -> dict[str, Any]:
        """Return what the admin endpoints tell about it."""
        return {
            "number": self.number,
            "job_id": self.job_id,
            "received_at": iso(self.received_at),
            "size": self.spool.size,
            "headers": self.headers,
            "multipart": self.multipart,
        }


@dataclass(slots=True)
class Call:
    """One call to either origin, as the tests see it; status 0 is a reset connection."""

    number: int
    time: float
    origin: Literal["api", "upload"]
    method: str
    path: str
    query: str
    route: str | None
    by_test: bool  # it has the header X-Test: a test made it, not what is tested
    status: int = 0
    fault: bool = False
    request_bytes: int = 0
    body: bytes | None = field(default=None, repr=False)

    def answer(self) -> dict[str, Any]:
        """Return the call without its body."""
        names = (
            *("number", "time", "origin", "method", "path", "query", "route", "status", "fault"),
            *("request_bytes", "by_test"),
        )
        return {name: getattr(self, name) for name in names}


class Account:
    """The state of one account."""

    def __init__(self, settings: Settings) -> None:
        """Start an empty account."""
        self.clock = Clock()
        self.settings = settings
        self.fields = FieldDefinitions()
        self.contacts = Contacts()
        self.contacts.lag = settings.search_lag
        self.lists: dict[str, ContactList] = {}
        self.suppressions = Suppressions()
        self.exports: dict[str, Export] = {}
        self.erased: set[str] = set()  # addresses, in the event data
        self.keys: dict[str, Permission] = {}  # added until the next reset
        self.queue = JobQueue(self.clock)
        self.jobs: dict[str, Job] = {}
        self.imports: dict[str, Import] = {}
        self.uploads: deque[Upload] = deque()
        self.sent = SentLog()
        self.upload_bytes = 0
        self.upload_count = 0
        self.error_files: deque[Job] = deque()
        self.limiter = RateLimiter()
        self.faults = FaultList()
        self.calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self.call_count = 0
        self.bodies: deque[Call] = deque()
        self.body_bytes = 0
        self.secret = secrets.token_bytes(32)
        self.snapshots: deque[tuple[float, int, dict[str, int]]] = deque(maxlen=MAX_SNAPSHOTS)
        self.snapshots.append((0.0, 0, {}))

    def remember_job(self, job: Job) -> Job:
        """Keep a job for GET contacts/imports/{id}; how long SendGrid does is unknown."""
        self.jobs[job.id] = job
        if len(self.jobs) > MAX_JOBS:
            oldest = next(iter(self.jobs))
            del self.jobs[oldest]
            self.imports.pop(oldest, None)
        return job

    def remember_export(self, export: Export) -> None:
        """Keep an export, dropping the oldest one when there are too many."""
        self.exports[export.job.id] = export
        if len(self.exports) > MAX_FILES:
            del self.exports[next(iter(self.exports))]

    def remember_errors(self, job: Job) -> None:
        """Keep a job's errors file, dropping the oldest one when there are too many."""
        self.error_files.append(job)
        if len(self.error_files) > MAX_FILES:
            self.error_files.popleft().errors = None

    def remember_upload(self, upload: Upload) -> None:
        """Keep a file; drop the oldest ones beyond the budget, save for jobs that wait for them."""
        self.uploads.append(upload)
        self.upload_bytes += upload.spool.size
        while len(self.uploads) > MAX_FILES or self.upload_bytes > MAX_UPLOAD_BYTES:
            dropped = self.uploads.popleft().spool
            self.upload_bytes -= dropped.size
            self.sent.forget(dropped)

    def remember_call(self, call: Call) -> None:
        """Number and keep a call."""
        self.call_count += 1
        call.number = self.call_count
        self.calls.append(call)

    def remember_body(self, call: Call, body: bytes) -> None:
        """Keep the body of a JSON request, dropping the oldest ones beyond the budget."""
        call.body = body
        self.bodies.append(call)
        self.body_bytes += len(body)
        while self.body_bytes > MAX_BODY_BYTES:
            oldest = self.bodies.popleft()
            self.body_bytes -= len(oldest.body or b"")
            oldest.body = None

    def create_list(self, name: object) -> ContactList:
        """Add a list; refuse as POST lists does. Duplicate names are refused [I]."""
        checked = self.list_name(name)
        if len(self.lists) >= MAX_LISTS:
            raise Refusal(400, f"you can have up to {MAX_LISTS} lists", "name")
        created = ContactList(str(uuid.uuid4()), checked)
        self.lists[created.id] = created
        return created

    def list_name(self, name: object) -> str:
        """Return a name that a list may take."""
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise Refusal(400, "name must have 1 to 100 characters", "name")
        if any(item.name == name for item in self.lists.values()):
            raise Refusal(400, f"a list named '{name}' exists already", "name")
        return name

    def snapshot(self) -> None:
        """Note the counts, for answers that lag behind."""
        counts = dict(self.contacts.list_counts)
        self.snapshots.append((self.clock.now(), len(self.contacts), counts))

    def counts(self) -> tuple[int, Mapping[str, int]]:
        """Return the numbers of contacts, in all and by list, as the API shows them now."""
        if not self.settings.count_lag:
            return len(self.contacts), self.contacts.list_counts
        seen_at = self.clock.now() - self.settings.count_lag
        shown = next((item for item in reversed(self.snapshots) if item[0] <= seen_at), None)
        return (shown or self.snapshots[0])[1:]


@dataclass(slots=True)
class Service:
    """The running emulator: its account, the keys it knows, and where its files are."""

    start_settings: Settings
    keys: dict[str, Permission]
    upload_url: str
    kept: Path | None = None  # where the account is from one start to the next
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        """Start with an empty account."""
        self.account = Account(self.start_settings)

    def permission(self, key: str) -> Permission | None:
        """Return what a key may do, or None if it is unknown."""
        return self.account.keys.get(key) or self.keys.get(key)


def account_of(request: Request) -> Account:
    """Return the account that a request is about."""
    return service_of(request).account


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service


def base_url_of(request: Request) -> str:
    """Return the origin as the caller reaches it, for the links in answers."""
    return str(request.base_url).rstrip("/")


def is_by_test(request: Request) -> bool:
    """Return whether a test made a call, not what is tested: it has the header X-Test."""
    return "x-test" in request.headers
