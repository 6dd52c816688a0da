"""Erasures over HTTP: who may ask for one, and what the page says."""

from __future__ import annotations

import pytest

from tests.dags.test_dag_runs import run_dag
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.erased import outlast_the_search, states, traces
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE = "/syncs/demo/erasures"
ANN, BOB = "ann@example.com", "bob@example.com"
OF_ANOTHER_SYNC = """INSERT INTO contact_sync.erasure (erasure_id, sync_name)
                     VALUES ('secret1', 'secret2')"""
STEP_ELSEWHERE = """INSERT INTO contact_sync.erasure_step
                        (erasure_id, step_no, at, what, sync_name, numbers, key_id, seal)
                    VALUES (%s, 99, now(), 'purged', 'secret3', '{}', '', '')"""


def test_E16_E18_the_form_erases_and_the_next_run_ends_it(connected: World) -> None:
    """For the right people, from our own page, and only for who is sure; no barrier. What was asked
    for, or done, in other syncs isn't shown."""
    connected.add(ANN)
    connected.add(BOB)
    run_dag()
    form = {"who": ANN.upper(), "reason": "ticket 12", "sure": "on"}
    assert client(None).post(PAGE, data=form).status_code == 401
    assert client("viewer").post(PAGE, data=form).status_code == 403
    foreign = {"Origin": "https://elsewhere.example"}
    assert client("admin").post(PAGE, data=form, headers=foreign).status_code == 403
    unsure = client("admin").post(PAGE, data={**form, "sure": ""})
    assert (unsure.status_code, "tick that you are sure" in unsure.text) == (422, True)
    telling = client("admin").post(PAGE, data={**form, "reason": f"of {ANN}"})
    assert (telling.status_code, "nothing about the person" in telling.text) == (422, True)
    assert states(connected) == {}
    asked = client("admin").post(PAGE, data=form, follow_redirects=False)
    assert asked.status_code == 303
    assert ANN not in asked.headers["location"]
    outlast_the_search(connected)
    assert run_dag()[0] == "success"
    assert connected.contacts().keys() == {BOB}
    assert list(states(connected).values()) == ["finished"]
    assert traces(connected, ANN) == []
    (erasure_id,) = states(connected)
    connected.state(OF_ANOTHER_SYNC)
    connected.state(STEP_ELSEWHERE, erasure_id)
    connected.state("INSERT INTO contact_sync.sync (name) VALUES ('secret3')")
    said = text("viewer", f"{PAGE}?show={erasure_id}")
    assert "secret" not in said
    assert "secret" not in text("viewer", f"{PAGE}?show=secret1")
    for part in ("finished", "ticket 12", "a look at SendGrid found nothing", "admin"):
        assert part in said
    assert "Erase for good" not in said
    assert_everybody_can_use(client("admin").get(f"{PAGE}?show={erasure_id}").text)
