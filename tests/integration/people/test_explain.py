"""Why does this contact look like this: every fate of a client is explained, in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.cli.main import main
from contact_sync.lookup.explain import explain_client
from contact_sync.lookup.find_clients import find_clients
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import Explanation
from contact_sync.run.context import open_run
from contact_sync.run.sending.submit import submit_batch
from contact_sync.run.start_run import start_run
from tests.support.steps import go_on, the_batch
from tests.support.world import World


def explain(world: World, client: int, *, live: bool = False) -> Explanation:
    """What the look-up says of a client."""
    with world.sync() as sync:
        return explain_client(sync, client, live=sync.sendgrid if live else None)


def why(world: World, client: int) -> str:
    """The one sentence."""
    return conclude(explain(world, client))


def test_confirmed_in_a_job_with_the_rows_that_won(world: World) -> None:
    """Which batch and job, what every field holds, which phone and address won and why."""
    client = world.add("Ann@Example.com ", phone="+41790000001", address={"city": "Bern"})
    world.sql("UPDATE b2core.client_phones SET confirmed = TRUE")
    world.sql(
        "INSERT INTO b2core.client_phones (client_id, phone) VALUES (%s, '+41790000002')", client
    )
    world.run()
    found = explain(world, client, live=True)
    known = found.known
    assert known is not None
    assert known.sent is not None
    assert conclude(found).startswith("SendGrid has confirmed exactly this content on ")
    assert f"(run {known.sent.run_id}, batch {known.sent.batch_id}, job " in conclude(found)
    assert known.sent.job_status == "completed"
    assert found.notes == ()
    fields = {field.name: field for field in found.fields}
    assert (fields["email"].source, fields["email"].value) == ("Ann@Example.com ", found.email)
    assert fields["phone_number"].value == fields["phone_number"].at_sendgrid == "+41790000001"
    assert [(c.part, c.place, c.reason) for c in found.choices] == [
        ("phone", 1, "a confirmed number comes first"),
        ("phone", 2, "not confirmed, the chosen one is"),
        ("address", 1, "the only one of a type that is used"),
    ]
    assert found.at_sendgrid is not None
    assert (found.at_sendgrid.found, found.at_sendgrid.on_list) == (True, True)


def test_before_the_first_run_and_after_a_change(world: World) -> None:
    """What the next run does, and why."""
    client = world.add("ann@example.com")
    assert "No run of this sync" in why(world, client)
    world.run()
    other = world.add("bob@example.com")
    assert why(world, other) == "The next run sends it for the first time."
    with world.sync() as sync:
        assert [m.client_id for m in find_clients(sync, "BOB@example.com", thorough=False)] == [
            other
        ]
    world.edit(client, first_name="Ana")
    assert why(world, client).startswith("The next run that notices the change sends it")
    world.edit(client, email="moved@example.com")
    assert "its address has changed" in why(world, client)


def test_rejected_by_its_address_and_values_left_out_or_cut(world: World) -> None:
    """With the field and the reason in words; what was left out of the others."""
    bad = world.add("not an address", last_name="L" * 60, phone="12")
    world.run()
    found = explain(world, bad)
    assert conclude(found) == (
        "It isn't sent, because its email is not valid. Correct it in B2CORE."
    )
    problems = {field.name: field.problem for field in found.fields if field.problem}
    assert problems == {
        "email": "the client is rejected for it: not valid",
        "last_name": "cut: longer than the field holds",
        "phone_number": "left out: without a country code, and the client has no country",
    }
    assert found.known is not None
    assert (found.known.state, found.known.tries) == ("rejected", 1)


def test_refused_by_sendgrid(world: World) -> None:
    """The reason and what helps; another content is sent again."""
    client = world.add("ann@example.com")
    world.emulator.admin.settings(refused_emails={"ann@example.com": "no such domain"})
    world.run()
    found = explain(world, client)
    assert "because SendGrid refused it: no such domain. It hasn't changed since" in conclude(found)
    assert found.known is not None
    assert found.known.sent is not None
    assert found.known.sent.job_status == "failed"
    world.edit(client, first_name="Ana")
    assert why(world, client) == "The next run sends it: it has changed since it was rejected."


def test_excluded_and_everybody_with_the_address_of_an_excluded_client(consenting: World) -> None:
    """The exclusion's reason, and for the other client who is to blame."""
    out = consenting.add("ann@example.com", last_name="opted out")
    same = consenting.add("ANN@example.com")
    consenting.run()
    said = "It isn't sent, because B2CORE excludes it: no consent. A run saw that first on "
    assert why(consenting, out).startswith(said)
    assert f"because client {out} has the same address and is excluded" in why(consenting, same)
    consenting.edit(out, last_name="Lee")
    assert why(consenting, same).startswith("The next run sends it: it was not to be sent")


def test_a_shared_address_leads_to_all_its_clients(world: World) -> None:
    """Whatever the spelling; the newest represents it."""
    old, new = world.add("ann@bücher.example"), world.add("Ann@xn--bcher-kva.example ")
    world.add("joann@xn--bcher-kva.example")
    world.run()
    assert f"because client {new}, which is newer" in why(world, old)
    assert set(explain(world, old).sharing) == {new}
    with world.sync() as sync:
        matches = find_clients(sync, " ANN@Bücher.example", thorough=False)
        assert [(m.client_id, m.has_contact) for m in matches] == [(new, True), (old, False)]
        assert find_clients(sync, "nobody@example.com", thorough=True) == []
        assert find_clients(sync, " ", thorough=True) == []


def test_pending_because_sendgrid_does_not_know_the_job(world: World) -> None:
    """Nobody knows what became of it, so it is sent again."""
    client = world.add("ann@example.com")
    world.forget_a_job()
    world.run()
    assert why(world, client) == (
        "The next run sends it again, because SendGrid didn't know the import job when it was "
        "asked about it."
    )


def test_staged_and_under_way(world: World) -> None:
    """A run that has read it, then one whose job isn't over."""
    client = world.add("ann@example.com")
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="test")
        go_on(sync, run_id, before="submit")
        assert conclude(explain_client(sync, client)) == (
            f"Run {run_id} has read it and is about to send it."
        )
        submit_batch(sync, open_run(sync, run_id), the_batch(sync))
        found = explain_client(sync, client)
    (sending,) = found.staged
    assert sending.job_id is not None
    assert f"It is on its way: run {run_id}, batch {sending.batch_id} (with SendGrid, job" in (
        conclude(found)
    )
    assert "A run is at work: this may change at any moment." in found.notes


def test_gone_from_b2core_and_known_to_nobody(world: World) -> None:
    """Its removal is noted; an id that never was is said to be unknown."""
    client = world.add("ann@example.com")
    world.add("bob@example.com")
    world.run()
    world.sql("DELETE FROM b2core.clients WHERE id = %s", client)
    assert f"Client {client} is gone from B2CORE; 0 of the latest runs" in why(world, client)
    world.run()
    world.run()
    assert "its contact belongs to no client any more" in why(world, client)
    assert why(world, 99) == "Neither B2CORE nor this sync knows client 99."


def test_a_former_address_that_is_still_to_be_removed(world: World) -> None:
    """It leads to its client, and says why the contact goes."""
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, email="new@example.com")
    with world.sync() as sync:
        go_on(sync, start_run(sync, RunKind.FULL, holder="test"), before="remove")
    (removal,) = explain(world, client).removals
    assert (removal.why, removal.email, removal.kept) == (
        "address_changed",
        "ann@example.com",
        False,
    )


def test_what_somebody_changed_in_sendgrid_shows_only_when_asked(world: World) -> None:
    """One call, and the fields that differ."""
    client = world.add("ann@example.com", first_name="Ann")
    world.run()
    with world.sync() as sync:
        body = b'{"contacts":[{"email":"ann@example.com","first_name":"Somebody"}]}'
        job = sync.sendgrid.upsert_contacts(body)
        while not sync.sendgrid.job(job).status.is_terminal:
            pass
    before = len(world.emulator.admin.calls())
    assert explain(world, client).at_sendgrid is None
    assert len(world.emulator.admin.calls()) == before
    found = explain(world, client, live=True)
    assert len(world.emulator.admin.calls()) == before + 1
    assert [(f.name, f.at_sendgrid) for f in found.fields if f.differs] == [
        ("first_name", "Somebody")
    ]
    assert "Now it shows something else: a run with mode resend" in conclude(found)


def test_a_stale_value_and_a_changed_definition(world: World) -> None:
    """A Date that B2CORE emptied is named; another mapping is said to be one."""
    world.emulator.admin.create_field("Registered", "Date")
    fields = {"Registered": "registered_on"}
    world.redefine(fields=fields)
    world.sql("ALTER TABLE b2core.clients ALTER created_at DROP NOT NULL")
    client = world.add("ann@example.com")
    world.run()
    world.edit(client, created_at=None)
    world.run()
    assert why(world, client).endswith("It still has a value in Registered, which it can't clear.")
    world.redefine(fields={**fields, "city": "city"})
    assert "The definition was edited since the last run" in explain(world, client).notes[0]


def test_masked_holds_nothing_personal(world: World) -> None:
    """States, reasons and jobs stay; no value does."""
    client = world.add("ann@example.com", phone="+41790000001", address={"city": "Zürich"})
    world.run()
    shown = explain(world, client, live=True).masked()
    values = [
        shown.email, *(shown.source or {}).values(), *(f.value for f in shown.fields),
        *(f.source for f in shown.fields), *(f.at_sendgrid or "" for f in shown.fields),
        *(v for c in shown.choices for v in c.values.values()), shown.known and shown.known.contact,
    ]  # fmt: skip
    assert set(values) <= {"", "***", "a***@e***.com"}
    assert conclude(shown).startswith("SendGrid has confirmed exactly this content")


@pytest.mark.parametrize("broken", ["missing", "other rule"])
def test_a_source_without_a_fitting_explain_sql(world: World, tmp_path: Path, broken: str) -> None:
    """Runs don't need it; the look-up says what it lacks, and the rest of the answer is there."""
    world.sql_folder = Path(shutil.copytree(world.sql_folder, tmp_path / "b2core"))
    statement = world.sql_folder / "explain.sql"
    text = statement.read_text(encoding="utf-8")
    statement.write_text(text.replace("DESC, p.updated_at DESC", "DESC, p.updated_at ASC"), "utf-8")
    if broken == "missing":
        statement.unlink()
    client = world.add("ann@example.com", phone="+41790000001")
    world.sql(
        """INSERT INTO b2core.client_phones (client_id, phone, updated_at)
           VALUES (%s, '+41790000002', '2020-01-01')""",
        client,
    )
    world.run()
    found = explain(world, client)
    said = {"missing": "explain.sql is missing", "other rule": "choose different phone rows"}
    assert said[broken] in found.notes[0]
    assert conclude(found).startswith("SendGrid has confirmed")


def test_the_command(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By id or address, for people; personal data goes to standard output only."""
    world.add("ann@example.com", phone="+41790000001", address={"city": "Zürich"})
    world.add("bob@example.com")
    world.run()
    world.connect_airflow(monkeypatch)
    assert main(["explain", "demo", "--client", "1", "--live"]) == 0
    said = capsys.readouterr()
    for part in (
        "Client 1 of sync demo", "SendGrid has confirmed exactly this content on", "city: Zürich",
        "used  phone 1 (not confirmed, ", "+41790000001; the only one", "sent last: run 1, batch 1",
        "2 created", "The contact, on the sync's list",
    ):  # fmt: skip
        assert part in said.out
    assert "ann" not in said.err
    world.edit(2, email=" ANN@example.com")
    assert main(["explain", "demo", "--email", "ann@EXAMPLE.com"]) == 0
    assert "2 clients match this address." in capsys.readouterr().out
    assert main(["explain", "demo", "--email", "nobody@example.com"]) == 1
    assert "No client of B2CORE has this address" in capsys.readouterr().out
    assert main(["explain", "demo", "--client", "-1"]) == 1
    assert "Neither B2CORE nor this sync knows client -1" in capsys.readouterr().out
    assert main(["explain", "demo", "--client", str(2**63)]) == 1
    assert "An id is a whole number" in capsys.readouterr().out
