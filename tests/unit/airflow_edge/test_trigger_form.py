"""What may be asked of a run, and the check that stands before Airflow's API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from contact_sync.airflow_edge.trigger_check import TriggerCheck
from contact_sync.airflow_edge.trigger_form import params, refusal

STARTS = "/api/v2/dags/contact_sync_demo/dagRuns"
LOGGED_IN = [(b"authorization", b"Bearer x")]
BAD = {"conf": {"dry_run": True, "approve_plan": True}}


def ask(path: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Status and body of a request that arrives in two parts; Airflow itself gives back 200 and
    what it was sent."""
    parts = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    answers: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    async def airflow(scope: Any, receive: Any, send: Any) -> None:
        del scope
        first, second = await receive(), await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": first["body"] + second["body"]})

    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(TriggerCheck(airflow)(scope, receive, send))
    return answers[0]["status"], answers[1]["body"]


def test_the_forms_own_values_are_accepted() -> None:
    """The form sends every parameter, with its default when nobody touched it."""
    assert refusal({name: param.value for name, param in params().items()}) is None
    assert refusal({}) is None
    assert refusal({"mode": "resend", "reason": "why", "approve_plan": True}) is None


def test_a_trial_is_of_named_clients_or_of_so_many_and_removes_nobody() -> None:
    """As on the command line; a list that came out empty isn't a run for all clients."""
    assert refusal({"clients": ["7"], "dry_run": True, "mode": "resend"}) is None
    assert refusal({"clients": ["7", ""], "sample": None}) is None
    for nobody in ([], ["", " "]):
        assert "clients names nobody" in str(refusal({"clients": nobody}))
    assert "Choose one" in str(refusal({"clients": ["7"], "sample": 5}))
    for trial in ({"clients": ["7"]}, {"sample": 5}):
        assert "a trial removes nobody" in str(refusal({**trial, "approve_removals": 1}))


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (STARTS, LOGGED_IN, 400),
        (f"/airflow{STARTS}", LOGGED_IN, 400),
        (STARTS, [(b"cookie", b"_token=x")], 400),
        (STARTS, [], 200),  # Airflow itself says 401
        ("/api/v2/dags/another/dagRuns", LOGGED_IN, 200),
        (f"{STARTS}/list", LOGGED_IN, 200),
    ],
)
def test_only_the_start_of_a_syncs_run_is_looked_at(
    path: str, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    """Everything else of Airflow's API passes through as it came."""
    body = json.dumps(BAD).encode()
    found, answer = ask(path, body, headers)
    assert found == status
    assert answer == body or "dry_run together with approve_plan" in json.loads(answer)["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"conf": {"reason": "a\\u0000b"}}', "NUL"),
        (b'{"note": ["\\u0000"]}', "NUL"),
        (b'{"conf": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_no_database_or_reader_takes_is_refused(body: bytes, said: str) -> None:
    """With 400 and a sentence; Airflow would answer 500."""
    status, answer = ask(STARTS, body, LOGGED_IN)
    assert status == 400
    assert said in json.loads(answer)["detail"]


@pytest.mark.parametrize(
    "body", [b"{}", b'{"conf": null}', b"not json", b'["conf"]', b'{"conf": 5}']
)
def test_a_body_that_it_cant_judge_is_left_to_airflow(body: bytes) -> None:
    """It refuses only what it understands."""
    assert ask(STARTS, body, LOGGED_IN) == (200, body)
