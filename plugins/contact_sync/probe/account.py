"""An account under probe: a list, three fields and contacts of the probe's own, and calls that wait
for their limits. Whatever is made is noted before."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contact_sync.base.errors import (
    ConfigError,
    FatalError,
    FateUnknown,
    RetryableError,
    SyncError,
)
from contact_sync.probe.listing import custom_fields, lists, reserved_fields
from contact_sync.probe.made import Made
from contact_sync.probe.patient import Clock, patiently
from contact_sync.sendgrid.raw_calls import CONTACTS, FIELDS, LISTS, Exchange, RawCalls

POLL_SECONDS = 2.0
FIRST_POLL_SECONDS, LONGER = 0.25, 1.5
"""The first pause of something that is polled, and by which factor each one is longer, up to
POLL_SECONDS."""
RARER = 20
"""The longest pause grows to this part of the time that was waited already."""
JOB_SECONDS = 900.0
UNKNOWN_SECONDS = 30.0
"""A job that was accepted is unknown only if 404 is answered for so long."""
LAG_SECONDS = 300.0
FIELD_SECONDS = 180.0
SLOW_SECONDS = 15.0
"""A call that takes longer has waited for a limit or for a fault."""
MOST_ADDRESSES = 60
TERMINAL = ("completed", "errored", "failed")
FIELD_TYPES = {"text": "Text", "number": "Number", "date": "Date"}


class NotOver(RetryableError):
    """A job isn't over in time; nothing can be said of it."""


class NotTaken(RetryableError):
    """An upsert that needed to be taken was refused, or its job failed as a whole."""


@dataclass(slots=True)
class Account:
    """One account during a probe. `limits`: calls a minute by route, as headers said;
    `longest_call`: in seconds, with its waits for limits; `are_usable`: the custom fields, after
    `field_seconds`, None = that can't be told."""

    calls: RawCalls
    made: Made
    clock: Clock = field(default_factory=Clock)
    say: Callable[[str], None] = lambda _text: None
    limits: dict[str, int] = field(default_factory=dict)
    longest_call: float = 0.0
    are_usable: bool = False
    field_seconds: float | None = None
    _reserved: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, *, patient: bool = True) -> Exchange:
        """One call and its answer, and a limit that it tells; `patient`: as `patiently`, else
        whatever is answered."""
        start = self.clock.now()
        if patient:
            found = patiently(self.calls, self.clock, method, path, body)
        else:
            found = self.calls.exchange(method, path, body)
        self.longest_call = max(self.longest_call, self.clock.now() - start)
        if (limit := found.number("x-ratelimit-limit")) is not None:
            self.limits[f"{method} {path.partition('?')[0]}"] = limit
        return found

    def timed(self, act: Callable[[], bool]) -> float | None:
        """How long something took that ends at a call's answer, in seconds; None = that can't be
        told: it didn't come about, or a call had to wait meanwhile."""
        self.longest_call, start = 0.0, self.clock.now()
        came = act()
        took = self.clock.now() - start
        return took if came and self.longest_call <= SLOW_SECONDS else None

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
        """The probe's own list, made when it is first needed. Raises ConfigError."""
        made = self.made
        if made.list_id is None and made.has_list:  # its answer got lost
            made.list_id = lists(self.call).get(made.list_name)
        if made.list_id is None:
            made.has_list = True
            try:
                made.list_id = self._create(LISTS, {"name": made.list_name}, "the list")
            except FateUnknown:
                raise
            except SyncError:  # it was refused: a list of this name is somebody else's
                made.has_list = False
                made.save()
                raise
        return made.list_id

    def fields(self) -> dict[str, str]:
        """The ids of the probe's own custom fields by `text`, `number` and `date`; they are made
        when they are first needed, and can be used. Raises ConfigError."""
        made = self.made
        names = {kind: self.field_name(kind) for kind in FIELD_TYPES}
        if any(field_id is None for field_id in made.fields.values()):  # an answer got lost
            there = custom_fields(self.call)
            made.fields = {name: made.fields[name] or there.get(name) for name in made.fields}
        for kind, name in names.items():
            if made.fields.get(name) is None:
                self._make_field(name, FIELD_TYPES[kind])
        ids = {kind: str(made.fields[name]) for kind, name in names.items()}
        if not self.are_usable:
            self._await_fields(ids)
        return ids

    def _make_field(self, name: str, field_type: str) -> None:
        made, body = self.made, {"name": name, "field_type": field_type}
        made.fields[name] = None
        try:
            made.fields[name] = self._create(FIELDS, body, "a custom field")
        except FateUnknown:
            raise
        except SyncError:
            del made.fields[name]
            made.save()
            raise

    def _create(self, path: str, body: dict[str, str], what: str) -> str:
        """Make something; returns its id. It is noted before, and when the call went off."""
        self.made.sent_at = self.clock.now()
        self.made.save()
        found = self.call("POST", path, body)
        new = found.body.get("id")
        if found.ok and not new:
            raise FateUnknown(f"POST {path}: the answer has no id; it may have had an effect")
        self.made.sent_at = None
        self.made.save()
        if not found.ok:
            raise ConfigError(
                f"SendGrid refused to make {what} of the probe ({found.status}): see whether its "
                f"name is taken or too long, and whether the account has as many as it may"
            )
        return str(new)

    def reserved_ids(self) -> dict[str, str]:
        """The ids of the account's reserved fields by name."""
        if not self._reserved:
            self._reserved = reserved_fields(self.call)
        return self._reserved

    def field_name(self, kind: str) -> str:
        """The name of one of the three custom fields."""
        return f"contact_sync_probe_{self.made.token}_{kind}"

    def _await_fields(self, ids: dict[str, str]) -> None:
        """Wait until an upsert can use the fields; notes how many seconds the newest took."""
        values = {ids["text"]: "usable", ids["number"]: 1, ids["date"]: "2021-02-11T00:00:00Z"}
        contact = {"email": self.address("fields"), "custom_fields": values}

        def are_usable() -> bool:
            self.are_usable = self.until(lambda: self.put([contact]).ok, FIELD_SECONDS) is not None
            return self.are_usable

        self.field_seconds = self.timed(are_usable)
        if not self.are_usable:
            raise RetryableError(
                f"The probe's custom fields can't be used {FIELD_SECONDS:.0f} seconds after they "
                f"were made: try again later"
            )

    def put(self, contacts: list[dict[str, Any]], list_ids: Iterable[str] = ()) -> Exchange:
        """A JSON upsert onto the probe's list; its job is noted. Raises FateUnknown."""
        made, lists = self.made, [self.list_id(), *list_ids]
        made.sent_at, made.is_unsettled = self.clock.now(), True
        made.save()
        found = self.call("PUT", CONTACTS, {"list_ids": lists, "contacts": contacts})
        if found.ok:
            if not found.body.get("job_id"):
                raise FateUnknown(f"PUT {CONTACTS}: the answer names no job")
            made.jobs[str(found.body["job_id"])] = self.clock.now()
        made.sent_at = None
        made.save()
        return found

    def sent(self, contacts: list[dict[str, Any]]) -> str:
        """The same of contacts that every account takes; returns the job. Raises NotTaken."""
        found = self.put(contacts)
        if not found.ok:
            raise NotTaken(f"SendGrid answered {found.status} to an upsert that is as it must be")
        return str(found.body["job_id"])

    def job(self, job_id: str) -> Exchange:
        """What SendGrid says of a job."""
        return self.call("GET", f"{CONTACTS}/imports/{quote(job_id, safe='')}")

    def finish(self, job_id: str, seconds: float = JOB_SECONDS) -> dict[str, Any]:
        """A job once it is over; {} if it isn't known. Raises NotOver."""
        start, known_at = self.clock.now(), self.clock.now()
        pause = FIRST_POLL_SECONDS
        while True:
            found, now = self.job(job_id), self.clock.now()
            is_over = found.ok and found.body.get("status") in TERMINAL
            known_at = known_at if found.status == 404 else now
            if is_over or now - known_at >= UNKNOWN_SECONDS:
                self.made.jobs.pop(job_id, None)
                self.made.uploads.pop(job_id, None)
                return found.body if is_over else {}
            if now - start > seconds:
                raise NotOver(f"A job of the probe's isn't over after {seconds:.0f} seconds")
            self.clock.sleep(pause)
            pause = min(pause * LONGER, max(POLL_SECONDS, (now - start) / RARER))

    def look(self, addresses: Iterable[str], *, note: bool = True) -> dict[str, dict[str, Any]]:
        """The contacts that exist, by address; at most 100 addresses. `note`: their ids, as those
        of the probe's."""
        sought = list(addresses)
        found = self.call("POST", f"{CONTACTS}/search/emails", {"emails": sought})
        entries = found.body.get("result")
        if found.status == 404 and found.body:
            entries = entries if isinstance(entries, dict) else {}
        elif found.status != 200 or not isinstance(entries, dict):
            raise RetryableError(f"A search answered {found.status}, and not as searches do")
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
        is found. A job that wasn't over in time isn't waited for again.

        Raises RetryableError: what searches show then proves nothing.
        """
        for job_id, since in list(self.made.jobs.items()):
            if self.clock.now() - since <= JOB_SECONDS:
                self.finish(job_id)
        mark = secrets.token_hex(4)
        address = self.address("canary")
        job = self.finish(self.sent([{"email": address, "last_name": mark}]))
        if job.get("status") == "failed":
            raise NotTaken(
                "SendGrid took an upsert of the probe's, and its job failed as a whole: see "
                "whether the plan's limit of contacts is reached"
            )
        if (
            self.until(lambda: self.look([address]).get(address, {}).get("last_name") == mark)
            is None
        ):
            raise RetryableError(
                f"What the probe has sent isn't found {LAG_SECONDS:.0f} seconds after its job's end"
            )
        self.made.is_unsettled = False
        self.made.save()

    def until(self, is_so: Callable[[], bool], seconds: float = LAG_SECONDS) -> float | None:
        """How long it took until something was so; None = it wasn't, for all of these seconds."""
        start, pause = self.clock.now(), FIRST_POLL_SECONDS
        while not is_so():
            waited = self.clock.now() - start
            if waited > seconds:
                return None
            self.clock.sleep(pause)
            pause = min(pause * LONGER, max(POLL_SECONDS, waited / RARER))
        return self.clock.now() - start


def address_of(pattern: str, token: str, number: int) -> str:
    """The probe's address with this number."""
    return pattern.replace("{token}", token).replace("{n}", f"{number:02}").lower()


def _route(path: str) -> str:
    return path.partition("?")[0]
