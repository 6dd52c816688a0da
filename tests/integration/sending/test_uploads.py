"""Uploaded files: interrupted, damaged, too late, or stored without an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from contact_sync.base.errors import FatalError
from contact_sync.run import settle_earlier_runs
from contact_sync.run.sending import send_csv
from tests.support.databases import make_batches_older
from tests.support.forks import FORKS
from tests.support.world import World

UPLOAD = "/imports/{job_id}"


def load(world: World) -> None:
    """In a child process."""
    world.run()


def test_C03_killed_in_the_middle_of_an_upload(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file never arrives as a whole, and its clients are sent again in another import."""
    monkeypatch.setattr(settle_earlier_runs, "POLL_SECONDS", 1.0)
    world.redefine(lane="csv")
    world.seed()
    world.emulator.admin.fault("PUT", UPLOAD, delay=5, status=503)
    child = FORKS.Process(target=load, args=(world.portable(),))
    child.start()
    until = time.monotonic() + 30
    while world.state("SELECT 1 FROM contact_sync.batch WHERE state = 'uploading'") == []:
        assert time.monotonic() < until
        assert child.is_alive()
        time.sleep(0.05)
    child.kill()
    child.join(10)
    make_batches_older(world.state_url, 3600)
    world.run(take_over=True)
    world.run()
    world.assert_converged()
    assert set(world.fates().values()) >= {"confirmed"}


@pytest.mark.parametrize("damage", ["cut", "changed"], ids=["C15 cut", "C12 changed"])
def test_C12_C15_a_damaged_file_confirms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Its check sum tells: SendGrid fails the job, all clients are sent again."""
    rendered = send_csv._rendered

    @contextmanager
    def damaged(*args: Any) -> Iterator[tuple[IO[bytes], int]]:
        with rendered(*args) as (file, size):
            if damage == "cut":
                file.truncate(size - 12)
                yield file, size - 12
                return
            file.seek(size - 6)  # in the check sum of the content
            file.write(b"\0\1")
            yield file, size

    world.redefine(lane="csv")
    world.seed()
    monkeypatch.setattr(send_csv, "_rendered", damaged)
    with pytest.raises(FatalError, match=r"import jobs? of batch(es)? .* failed"):
        world.run()
    assert "confirmed" not in world.fates().values()
    assert world.contacts() == {}
    monkeypatch.undo()
    world.run()
    world.assert_converged()


def test_C05_an_expired_upload_address_leads_to_a_new_import(world: World) -> None:
    """403 from the storage: another job, the same bytes, one file."""
    world.redefine(lane="csv")
    world.seed()
    world.emulator.admin.fault("PUT", UPLOAD, status=403)
    world.run()
    first, second = world.calls("PUT", UPLOAD)
    assert (first["status"], second["status"]) == (403, 200)
    assert first["path"] != second["path"]
    assert len(world.emulator.admin.uploads()) == 1
    world.assert_converged()


def test_C05_addresses_that_always_expire_end_the_run(world: World) -> None:
    """Three imports, then a message; nothing is confirmed."""
    world.redefine(lane="csv")
    world.seed()
    world.emulator.admin.settings(upload_lifetime=0.0)
    with pytest.raises(FatalError, match="PUT upload_uri: the storage answered 403"):
        world.run()
    assert len(world.calls("PUT", UPLOAD)) == 3
    assert world.contacts() == {}


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}])
def test_C04_an_upload_of_unknown_fate_is_not_repeated(world: World, fault: dict[str, Any]) -> None:
    """The file was stored, the answer lost: its job is polled, no second file is uploaded."""
    world.redefine(lane="csv", deadlines={"job_hours": 1, "quarantine_minutes": 1})
    world.seed()
    world.emulator.admin.fault("PUT", UPLOAD, when="after", **fault)
    assert world.run()["books"]["confirmed"] == 4
    assert len(world.calls("PUT", UPLOAD)) == 1
    assert len(world.emulator.admin.uploads()) == 1
    world.assert_converged()


def test_C04_an_upload_that_never_arrived_is_sent_by_the_next_run(world: World) -> None:
    """Lost before the effect: pending after the quarantine, then a new import."""
    patience = world.definition.deadlines.model_dump()
    world.redefine(lane="csv", deadlines=patience | {"job_hours": 0.0001})
    world.seed()
    world.emulator.admin.fault("PUT", UPLOAD, reset=True)
    assert world.run()["books"]["pending"] == 4
    world.redefine(deadlines=patience)
    world.run()
    paths = [call["path"] for call in world.calls("PUT", UPLOAD)]
    assert len(set(paths)) == len(paths) == 2
    world.assert_converged()
