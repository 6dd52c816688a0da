"""The faults of the matrix by name, and a world in which the next call of an endpoint has one."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast, get_args

import requests

from local.sendgrid_emulator.process import Emulator
from tests.support.fault_matrix.table import Endpoint
from tests.support.fault_matrix.tricks import Clock, Trick, relay
from tests.support.fault_matrix.worlds import ANN
from tests.support.world import API_KEY, World

READ_SECONDS = 0.4  # in the rows of time-outs; long enough for an answer on a busy machine
PAGE = {"body": f"<html>\n<p>Sorry,\n{ANN}! {API_KEY}\n</html>"}
REFUSAL = json.dumps({"errors": [{"message": f"not for {ANN}", "field": None}]})


def says(status: int, body: str = REFUSAL, **more: Any) -> dict[str, Any]:
    """An answer with JSON."""
    return {"status": status, "body": body, "headers": {"content-type": "application/json"}, **more}


def limited(**headers: str) -> dict[str, Any]:
    """A 429."""
    return {"status": 429, "headers": {k.replace("_", "-"): v for k, v in headers.items()}}


FAULTS: dict[str, dict[str, Any] | Trick | Callable[[World, Endpoint, Clock], None]] = {
    "time-out before the effect": {"delay": 2 * READ_SECONDS, "status": 503},
    "time-out after the effect": "keep the answer",
    "reset before the effect": {"reset": True},
    "reset after the effect": {"reset": True, "when": "after"},
    "503 after the effect": {"status": 503, "when": "after"},
    "reset in the answer": {"truncate": 5},
    "400": says(400),
    "401": says(401),
    "403": says(403),
    "404 page": {"status": 404, **PAGE},
    "408": {"status": 408},
    "413 page": {"status": 413, **PAGE},
    "429 without a header": "hide the limits",
    "429 Retry-After 7": limited(retry_after="7"),
    "429 Retry-After in the past": limited(retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "429 Retry-After 3600": limited(retry_after="3600"),
    "429 Retry-After 9999999": limited(retry_after="9999999"),
    "429 x-ratelimit-reset in seconds": lambda world, endpoint, clock: use_up(
        world, endpoint, clock, "delta"
    ),
    "429 x-ratelimit-reset as a date": lambda world, endpoint, clock: use_up(
        world, endpoint, clock, "epoch"
    ),
    "500 page": {"status": 500, **PAGE},
    "502 page": {"status": 502, **PAGE},
    "503": {"status": 503},
    "slow answer": {"delay": 0.05},
    "half a JSON text": says(200, '{"job_id": "1', when="after"),
    "JSON list": says(200, f'["{ANN}"]', when="after"),
    "JSON without what is asked for": says(200, "{}", when="after"),
    "no body": says(200, "", when="after"),
    "200 page": {"status": 200, **PAGE},
    "302 to another host": lambda world, endpoint, _: redirect(world, endpoint),
    "answer twice": "answer twice",
    "request twice": "request twice",
}
ENDLESS = {
    "429 Retry-After 60": limited(retry_after="60"),
    "429 Retry-After 0": limited(retry_after="0"),
    "500": says(500),
}


@contextlib.contextmanager
def faulty(world: World, endpoint: Endpoint, fault: str, clock: Clock) -> Iterator[World]:
    """The world with a fault at the next call of the endpoint."""
    emulator, order = world.emulator, FAULTS[fault]
    if callable(order):
        order(world, endpoint, clock)
    elif isinstance(order, dict):
        emulator.admin.fault(endpoint.method, endpoint.route, **order)
    if order not in get_args(Trick):
        yield world
        return
    if order == "hide the limits":
        emulator.admin.fault(endpoint.method, endpoint.route, status=429)
    with relay(emulator.base_url, cast(Trick, order), endpoint.method, endpoint.route) as between:
        names = {"base_url": between.url, "admin": emulator.admin}
        yield replace(world, emulator=cast(Emulator, SimpleNamespace(**names)))


def use_up(world: World, endpoint: Endpoint, clock: Clock, reset: str) -> None:
    """Somebody else's call uses up the calls of this minute."""
    bucket = f"{endpoint.method} {endpoint.route}"
    world.emulator.admin.settings(rate_limits={bucket: 1}, rate_limit_reset=reset)
    clock.start_minute()
    url = world.emulator.base_url + re.sub(r"\{\w+\}", "none", endpoint.route)
    ids = {"contact_ids" if endpoint.unlists else "ids": "none"}
    requests.request(endpoint.method, url, params=ids, timeout=10)


def redirect(world: World, endpoint: Endpoint) -> None:
    """The answer names another place."""
    there = {"location": f"{world.emulator.upload_url}/elsewhere"}
    world.emulator.admin.fault(endpoint.method, endpoint.route, status=302, headers=there)
