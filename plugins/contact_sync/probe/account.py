"""An account under probe: a list, three fields and contacts of the probe's own, and calls that wait
for their limits. Whatever is made is noted before."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contact_sync.base.errors import ConfigError, FatalError, FateUnknown, RetryableError
from contact_sync.probe.made import Made
from contact_sync.sendgrid.raw_calls import CONTACTS, FIELDS, LISTS, Exchange, RawCalls

POLL_SECONDS = 2.0
FIRST_POLL_SECONDS, LONGER = 0.25, 1.5
"""The first pause of something that is polled, and by which factor each one is longer, up to
POLL_SECONDS."""
JOB_SECONDS = 900.0
LAG_SECONDS = 300.0
FIELD_SECONDS = 180.0
MAX_TRIES = 5
LONGEST_PAUSE = 120
MOST_ADDRESSES = 60
TERMINAL = ("completed", "errored", "failed")
FIELD_TYPES = {"text": "Text", "number": "Number", "date": "Date"}


@dataclass(frozen=True, slots=True)
class Clock:
    """The time in epoch seconds, and how to let some pass."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Account:
    """One account during a probe. `limits`: calls a minute by route, as headers said."""

    calls: RawCalls
    made: Made
    clock: Clock = field(default_factory=Clock)
    say: Callable[[str], None] = lambda _text: None
    limits: dict[str, int] = field(default_factory=dict)
    field_seconds: int | None = None
    _reserved: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, *, patient: bool = True) -> Exchange:
        """One call and its answer. `patient`: a full minute is waited for, and a reading is tried
        again when there is no answer. Raises RetryableError or AuthError."""
        reads = method == "GET" or path.endswith("/search/emails")
        for number in range(1, MAX_TRIES + 1):
            try:
                found = self.calls.exchange(method, path, body)
            except RetryableError as error:
                no_effect = reads or not isinstance(error, FateUnknown)
                if not (patient and no_effect) or number == MAX_TRIES:
                    raise
                self.clock.sleep(POLL_SECONDS)
                continue
            if (limit := found.number("x-ratelimit-limit")) is not None:
                self.limits[f"{method} {_route(path)}"] = limit
            if not patient or not (found.status == 429 or (reads and found.status >= 500)):
                return found
            self.clock.sleep(self._pause(found))
        raise RetryableError(f"{method} {_route(path)}: SendGrid refused it {MAX_TRIES} times")

    def _pause(self, found: Exchange) -> float:
        reset = found.number("x-ratelimit-reset")
        if found.status != 429 or reset is None:
            return POLL_SECONDS
        left = reset if reset < 10_000_000 else reset - self.clock.now()
        return min(max(left, 0) + 1.0, LONGEST_PAUSE)

    def address(self, label: str) -> str:
        """The address of the contact with this label, noted as one that may be made."""
        if label not in self.made.addresses:
            number = len(self.made.addresses) + 1
            if number > MOST_ADDRESSES:
                raise FatalError(f"A probe has at most {MOST_ADDRESSES} contacts")
            self.made.addresses[label] = address_of(self.made.pattern, self.made.token, number)
            self.made.save()
        return self.made.addresses[label]

    def list_id(self) -> str:
        """The probe's own list, made when it is first needed. Raises FatalError."""
        if self.made.list_id is None:
            self.made.has_list = True
            self.made.save()
            found = self.call("POST", LISTS, {"name": self.made.list_name})
            self.made.list_id = str(_id_of(found, "the list"))
            self.made.save()
        return self.made.list_id

    def fields(self) -> dict[str, str]:
        """The ids of the probe's own custom fields by `text`, `number` and `date`; they are made
        when they are first needed, and can be used."""
        names = {kind: self.field_name(kind) for kind in FIELD_TYPES}
        for kind, name in names.items():
            if self.made.fields.get(name) is None:
                self.made.fields[name] = None
                self.made.save()
                body = {"name": name, "field_type": FIELD_TYPES[kind]}
                self.made.fields[name] = str(_id_of(self.call("POST", FIELDS, body), "a field"))
                self.made.save()
        ids = {kind: str(self.made.fields[name]) for kind, name in names.items()}
        if self.field_seconds is None:
            self.field_seconds = self._await_fields(ids)
        return ids

    def reserved_ids(self) -> dict[str, str]:
        """The ids of the account's reserved fields by name."""
        if not self._reserved:
            items = self.call("GET", FIELDS).body.get("reserved_fields") or []
            self._reserved = {str(item["name"]): str(item["id"]) for item in items}
        return self._reserved

    def field_name(self, kind: str) -> str:
        """The name of one of the three custom fields."""
        return f"contact_sync_probe_{self.made.token}_{kind}"

    def _await_fields(self, ids: dict[str, str]) -> int:
        """How many seconds the newest field took until an upsert could use it."""
        values = {ids["text"]: "usable", ids["number"]: 1, ids["date"]: "2021-02-11T00:00:00Z"}
        start = self.clock.now()
        while (waited := self.clock.now() - start) <= FIELD_SECONDS:
            found = self.put([{"email": self.address("fields"), "custom_fields": values}])
            if found.ok:
                return round(waited)
            self.clock.sleep(1.0)
        raise RetryableError(
            f"The probe's custom fields can't be used {FIELD_SECONDS:.0f} seconds after they were "
            f"made: try again later"
        )

    def put(self, contacts: list[dict[str, Any]], list_ids: Iterable[str] = ()) -> Exchange:
        """A JSON upsert onto the probe's list; its job is noted."""
        lists = [self.list_id(), *list_ids]
        self.made.sent_at = self.clock.now()
        self.made.save()
        found = self.call("PUT", CONTACTS, {"list_ids": lists, "contacts": contacts})
        if found.ok:
            self.made.jobs.append(str(found.body.get("job_id", "")))
        self.made.sent_at = None
        self.made.save()
        return found

    def job(self, job_id: str) -> Exchange:
        """What SendGrid says of a job."""
        return self.call("GET", f"{CONTACTS}/imports/{quote(job_id, safe='')}")

    def finish(self, job_id: str, seconds: float = JOB_SECONDS) -> dict[str, Any]:
        """A job once it is over; {} if it isn't known. Raises RetryableError when it never ends."""
        deadline, pause = self.clock.now() + seconds, FIRST_POLL_SECONDS
        while True:
            found = self.job(job_id)
            if found.status == 404 or found.body.get("status") in TERMINAL:
                self.made.jobs = [job for job in self.made.jobs if job != job_id]
                return found.body if found.ok else {}
            if self.clock.now() > deadline:
                raise RetryableError(f"A job of the probe's isn't over after {seconds:.0f} seconds")
            self.clock.sleep(pause)
            pause = min(pause * LONGER, POLL_SECONDS)

    def look(self, addresses: Iterable[str], *, note: bool = True) -> dict[str, dict[str, Any]]:
        """The contacts that exist, by address; at most 100 addresses. `note`: their ids, as those
        of the probe's."""
        sought = list(addresses)
        found = self.call("POST", f"{CONTACTS}/search/emails", {"emails": sought})
        if found.status not in (200, 404):
            raise FatalError(f"A search answered {found.status}: the probe can't go on")
        result = found.body.get("result")
        entries = result if isinstance(result, dict) else {}
        seen = {
            address: entry["contact"]
            for address, entry in entries.items()
            if isinstance(entry, dict) and isinstance(entry.get("contact"), dict)
        }
        ids = {address: str(contact.get("id", "")) for address, contact in seen.items()}
        if note and ids.items() - self.made.contact_ids.items():
            own = set(self.made.addresses.values())
            self.made.contact_ids |= {a: i for a, i in ids.items() if a in own}
            self.made.save()
        return seen

    def settle(self) -> None:
        """Wait until all that was sent shows in searches: the jobs are over, and what was sent last
        is found."""
        for job_id in list(self.made.jobs):
            self.finish(job_id)
        mark = secrets.token_hex(4)
        address = self.address("canary")
        found = self.put([{"email": address, "last_name": mark}])
        self.finish(str(found.body.get("job_id", "")))
        self.until(lambda: self.look([address]).get(address, {}).get("last_name") == mark)

    def until(self, is_so: Callable[[], bool], seconds: float = LAG_SECONDS) -> float | None:
        """How long it took until something was so; None = it wasn't, for all of these seconds."""
        start, pause = self.clock.now(), FIRST_POLL_SECONDS
        while not is_so():
            if self.clock.now() - start > seconds:
                return None
            self.clock.sleep(pause)
            pause = min(pause * LONGER, POLL_SECONDS)
        return self.clock.now() - start


def address_of(pattern: str, token: str, number: int) -> str:
    """The probe's address with this number."""
    return pattern.replace("{token}", token).replace("{n}", f"{number:02}").lower()


def _route(path: str) -> str:
    return path.partition("?")[0]


def _id_of(found: Exchange, what: str) -> Any:
    if not found.ok or not found.body.get("id"):
        raise ConfigError(
            f"SendGrid refused to make {what} of the probe ({found.status}): the key needs "
            f"Marketing: Full Access"
        )
    return found.body["id"]
