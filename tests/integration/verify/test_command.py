"""The command `verify`: a certificate for people and machines, and what `status` says of it."""

from __future__ import annotations

import json

import pytest

from contact_sync.cli.main import main
from tests.support.world import World


@pytest.fixture
def connected(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that the command line finds, loaded once."""
    world.connect_airflow(monkeypatch)
    world.seed()
    world.run()
    return world


def test_an_equal_account_has_a_certificate(
    connected: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Exit code 0; it names the moment, the export, its hash, the digests, and who asked."""
    assert main(["verify", "demo", "--reason", "audit 2026"]) == 0
    said, told = capsys.readouterr()
    assert "demo: verification 1: equal as of " in said
    assert "4 contacts compared" in said
    assert "audit 2026" in said
    assert "SHA-256 of its files: " in said
    # Where it goes depends on whether this process has set up Airflow's logging before.
    assert "Verification 1 begins" in told + caplog.text
    assert "@" not in said
    ((ours, theirs),) = connected.state(
        "SELECT b2core_digest, sendgrid_digest FROM contact_sync.verification"
    )
    assert f"digests: B2CORE {ours}, SendGrid {theirs}" in said
    assert ours == theirs
    assert main(["status", "demo"]) == 0
    assert "demo: equal as of " in capsys.readouterr().out


def test_a_difference_is_an_exit_code_of_1(
    connected: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """For machines: counts by verdict and by field; `status` has the same."""
    connected.emulator.admin.put_contacts({"email": "client1@example.com", "city": "Bern"})
    assert main(["verify", "demo", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["equal"], found["compared"], found["fields"]) == (False, 4, {"city": 1})
    assert (found["counts"]["different"], found["counts"]["equal"]) == (1, 3)
    assert found["b2core_snapshot"]["selected"] == 6
    assert main(["status", "demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verification"] == found
    assert main(["verify", "demo"]) == 1
    assert "1 contact has other values" in capsys.readouterr().out


def test_a_failure_is_told_and_an_exit_code_of_1(
    connected: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what is to be done; `status` goes on to say what was proven last."""
    connected.emulator.admin.job_fault("fails_halfway", job="export")
    assert main(["verify", "demo"]) == 1
    assert "Verify again" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(["verify"])
    assert wrong.value.code == 2


def test_findings_stay_until_the_next_verification(connected: World) -> None:
    """Those of the newest that succeeded; a failed one leaves none, and takes none away."""
    count = "SELECT verification_id, count(*) FROM contact_sync.finding GROUP BY 1"
    connected.emulator.admin.put_contacts({"email": "client1@example.com", "city": "Bern"})
    assert main(["verify", "demo"]) == 1
    assert main(["verify", "demo"]) == 1
    assert connected.state(count) == [(2, 1)]
    connected.emulator.admin.job_fault("fails_halfway", job="export")
    assert main(["verify", "demo"]) == 1
    assert connected.state(count) == [(2, 1)]
