"""Exchanges recorded from the real service, sent to the emulator again in their order and time.

Ids and links differ between accounts: which of them stands for which is learned from the answers.
`python -m contact_sync probe --record FOLDER` makes such a file of any account, without the looks
at jobs that aren't over yet.
A file has an exchange a line: `at` (seconds since a full minute), method, path, body, status, type
(of the content), limit and remaining (of the minute's calls, after the last of `times` repetitions)
and answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.api_caller import CONTACTS, SendGrid

ORIGIN = "https://api.sendgrid.com"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|e\d+_[TND]")
JOB = re.compile(r"/v3/marketing/contacts/imports/([^/?]+)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
EFFECT_SECONDS = 29  # the recorded jobs took effect after 30, and were looked at after 31


@dataclass(slots=True)
class Replay:
    """A replay against an emulator whose jobs wait for EFFECT_SECONDS."""

    sendgrid: SendGrid
    stands_for: dict[str, str] = field(default_factory=dict)
    _jobs: list[tuple[int, str]] = field(default_factory=list)

    def differences(self, file: Path) -> set[str]:
        """Send all exchanges and return where the answers differ: `METHOD path place: what`."""
        found: set[str] = set()
        exchanges = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        now = self.sendgrid.admin.now()
        minute = now - now % 60 + 60
        for recorded in exchanges:
            moment = minute + recorded["at"]
            self.sendgrid.admin.advance(max(0.0, moment - self.sendgrid.admin.now()))
            self._finish_jobs(recorded["at"])
            path = ID.sub("{id}", recorded["path"].partition("?")[0])
            for place in self._exchange(recorded):
                found.add(f"{recorded['method']} {path} {place}")
        return found

    def _finish_jobs(self, at: int) -> None:
        due = [job for job in self._jobs if job[0] + EFFECT_SECONDS < at]
        for job in due:
            self.sendgrid.wait(job[1])
            self._jobs.remove(job)

    def _exchange(self, recorded: dict[str, Any]) -> Iterator[str]:
        if job := JOB.fullmatch(recorded["path"]):
            self._finish(self._ours(job[1]))
        for _ in range(recorded["times"]):
            answer = self._send(recorded)
        headers = answer.headers
        seen = {
            "status": answer.status_code,
            "type": headers.get("content-type", ""),
            "limit": int(headers["x-ratelimit-limit"]),
            "remaining": int(headers["x-ratelimit-remaining"]),
        }
        for name, value in seen.items():
            if value != recorded[name]:
                yield f"{name}: {value}, not {recorded[name]}"
        if not 0 < int(headers["x-ratelimit-reset"]) <= 60:
            yield "reset: not the seconds of a minute"
        body = answer.json() if answer.content else None
        yield from self._unlike(recorded["answer"], body, "body")
        if isinstance(body, dict) and "job_id" in body:
            self._jobs.append((recorded["at"], body["job_id"]))

    def _finish(self, job_id: str) -> None:
        """Wait until a job is over, as it was when it was looked at; unless it isn't known."""
        if self.sendgrid.call("GET", f"{CONTACTS}/imports/{job_id}").ok:
            self.sendgrid.wait(job_id)

    def _send(self, recorded: dict[str, Any]) -> requests.Response:
        url = self.sendgrid.base_url + self._ours(recorded["path"])
        body = self._ours(json.dumps(recorded["body"])) if recorded["body"] else None
        headers = {"Content-Type": "application/json"} if body else None
        method = recorded["method"]
        return self.sendgrid.http.request(method, url, data=body, headers=headers, timeout=30)

    def _ours(self, text: str) -> str:
        """Return a recorded text with the emulator's ids and origin."""
        known = ID.sub(lambda found: self.stands_for.get(found[0], found[0]), text)
        return known.replace(ORIGIN, self.sendgrid.base_url)

    def _unlike(self, recorded: Any, seen: Any, place: str) -> Iterator[str]:
        """Yield where a body isn't like the recorded one; places in lists are N."""
        if isinstance(recorded, dict) and isinstance(seen, dict):
            yield from self._unlike_objects(recorded, seen, place)
        elif isinstance(recorded, list) and isinstance(seen, list):
            yield from self._unlike_lists(recorded, seen, f"{place}/N")
        elif isinstance(recorded, str) and isinstance(seen, str):
            if ID.fullmatch(recorded) and ID.fullmatch(seen):
                self.stands_for.setdefault(recorded, seen)
            both_times = TIME.fullmatch(recorded) and TIME.fullmatch(seen)
            if not both_times and self._ours(recorded) != seen:
                yield f"{place}: another text"
        elif recorded != seen or type(recorded) is not type(seen):
            yield f"{place}: another value"

    def _unlike_objects(
        self, recorded: dict[str, Any], seen: dict[str, Any], place: str
    ) -> Iterator[str]:
        for key in recorded.keys() - seen.keys():
            yield f"{place}/{key}: missing"
        for key in seen.keys() - recorded.keys():
            yield f"{place}/{key}: not recorded"
        for key, value in recorded.items():
            if key in seen:
                yield from self._unlike(value, seen[key], f"{place}/{key}")

    def _unlike_lists(self, recorded: list[Any], seen: list[Any], place: str) -> Iterator[str]:
        """Compare lists: of named things by name, of ids as a set, of others by place."""
        if all(isinstance(item, dict) and "name" in item for item in (*recorded, *seen)):
            by_name, named = ({item["name"]: item for item in items} for items in (recorded, seen))
            yield from (f"{place} {name}: missing" for name in by_name.keys() - named.keys())
            yield from (f"{place} {name}: not recorded" for name in named.keys() - by_name.keys())
            for name in by_name.keys() & named.keys():
                yield from self._unlike(by_name[name], named[name], place)
        elif all(isinstance(item, str) for item in (*recorded, *seen)):
            if {self._ours(item) for item in recorded} != set(seen):
                yield f"{place}: other texts"
        elif len(recorded) != len(seen):
            yield f"{place}: {len(seen)}, not {len(recorded)}"
        else:
            for one, other in zip(recorded, seen, strict=True):
                yield from self._unlike(one, other, place)
