"""Keys of any type: people see what B2CORE calls a client, and look it up by that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contact_sync.base.findings import Judgement
from contact_sync.cli.main import main
from tests.integration.foreign.conftest import ForeignWorld, begun
from tests.support.world import World

ANN, BOB, CLEO = (f"abcdef00-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
ADD = "INSERT INTO core_private.person (person_uuid, mail, modified_at) VALUES (%s, %s, now())"


@pytest.fixture
def foreign(connect: ForeignWorld, include: Path) -> World:
    """Keys are uuids with letters; Bob's phone is too short, Cleo's mail no address."""
    found = connect("uuid_views")
    for table in ("number", "place", "person"):
        found.sql(
            f"UPDATE core_private.{table} SET person_uuid = ('abcdef'"
            f" || substr(person_uuid::text, 7, 2) || substr(person_uuid::text, 9))::uuid"
        )
    found.sql("UPDATE core_private.person SET mail = 'nothing' WHERE given_name = 'Cleo'")
    found.sql("UPDATE core_private.number SET msisdn = '12' WHERE starts_with(msisdn, '0151')")
    return begun(found, include)


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    """The exit code and the document of a command."""

    def ask(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, "--json"])
        said = capsys.readouterr()
        assert said.out, said.err
        return code, json.loads(said.out)

    return ask


def keys(world: World) -> set[str]:
    return {key for (key,) in world.state("SELECT client_key FROM contact_sync.client_key")}


def test_a_client_is_looked_up_by_its_key_before_any_run(foreign: World, answer: Any) -> None:
    """In capitals, too; by its id as before; a key that nobody has is 1."""
    (made,) = foreign.sql("SELECT hashtextextended(%s, 0)", ANN)[0]
    for named in (ANN, ANN.upper(), f" {ANN} ", str(made)):
        code, found = answer("explain", "uuid_views", "--client", named)
        assert (code, [each["client_key"] for each in found["clients"]]) == (0, [ANN]), named
        assert found["clients"][0]["client_id"] == made
    for named in ("abcdef00-0000-4000-8000-000000000009", "x", "", "9" * 300, "4711"):
        code, found = answer("explain", "uuid_views", "--client", named)
        assert code == 1, named
    code, found = answer("check-sql", "uuid_views")
    assert {each["client_key"] for each in found["clients"]} == {ANN, BOB, CLEO}
    said = [each["text"] for each in found["findings"]]
    assert "every client has a key of its own" in said


def test_lists_and_look_ups_have_the_keys(
    foreign: World, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the sign of the ids; a key of another form than the contract's is found, too."""
    foreign.run()
    code, found = answer("status", "uuid_views", "--rejected", "--dropped")
    assert [(each["client_key"], each["field"]) for each in found["rejected"]] == [(CLEO, "email")]
    assert [each["client_key"] for each in found["dropped"]] == [BOB]
    assert main(["status", "uuid_views", "--rejected"]) == 0
    (id_of_cleo,) = foreign.sql("SELECT hashtextextended(%s, 0)", CLEO)[0]
    assert f"client {CLEO} ({id_of_cleo}): email: " in capsys.readouterr().out
    foreign.sql(ADD, "abcdef00-0000-4000-8000-000000000000", "ann@example.com")
    foreign.run()
    main(["explain", "uuid_views", "--email", "ann@example.com"])
    assert f"Client {ANN} (" in capsys.readouterr().out
    own = foreign.sql_folder / "clients.sql"
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("::text AS client_key", "::text || '/x' AS client_key"), "utf-8")
    code, found = answer("explain", "uuid_views", "--client", f"{BOB}/x")
    assert (code, found["clients"][0]["client_key"]) == (0, f"{BOB}/x")


def test_findings_name_clients_by_their_keys(foreign: World, answer: Any) -> None:
    """Of the statements, too."""
    scan = foreign.sql_folder / "scan.sql"
    text = scan.read_text(encoding="utf-8")
    scan.write_text(f'{text} WHERE "customers"."eMail" <> \'ann@example.com\'', encoding="utf-8")
    code, found = answer("check-sql", "uuid_views")
    said = [
        each["text"] for each in found["findings"] if "would never be looked at" in each["text"]
    ]
    assert (code, len(said)) == (1, 1)
    assert f"(client {ANN} (" in said[0]


def test_keys_are_kept_as_long_as_their_clients(foreign: World) -> None:
    """A changed key takes the place of the former one; a source without keys has none."""
    foreign.run()
    assert keys(foreign) == {ANN, BOB, CLEO}
    foreign.sql("DELETE FROM core_private.person WHERE person_uuid = %s", CLEO)
    foreign.run(approve_removals=1)
    foreign.run("full", approve_removals=1)
    foreign.run("full")
    assert keys(foreign) == {ANN, BOB}
    own = foreign.sql_folder / "clients.sql"
    text = own.read_text(encoding="utf-8")
    other = text.replace("::text AS client_key", "::text || '/x' AS client_key")
    own.write_text(other, encoding="utf-8")
    foreign.run()
    assert keys(foreign) == {f"{ANN}/x", f"{BOB}/x"}
    own.write_text(other.replace("|| '/x' AS", "|| repeat('x', 300) AS"), encoding="utf-8")
    foreign.run()
    assert keys(foreign) == set()
    own.write_text(text, encoding="utf-8")
    foreign.run()
    own.write_text(
        "\n".join(line for line in text.splitlines() if "AS client_key" not in line), "utf-8"
    )
    foreign.run()
    assert keys(foreign) == set()


@pytest.mark.parametrize(
    ("instead", "judgement", "said"),
    [
        ("nullif({key}, '" + ANN + "')", Judgement.WARNING, "1 client without a client_key"),
        ("left({key}, 8)", Judgement.WARNING, "2 clients with the client_key of another client"),
        ("{key} || repeat('x', 300)", Judgement.WARNING, "more than 255 characters"),
    ],
)
def test_check_sql_says_what_is_odd_about_keys(
    foreign: World, answer: Any, instead: str, judgement: Judgement, said: str
) -> None:
    """It stops no run: keys are for people."""
    own = foreign.sql_folder / "clients.sql"
    lines = own.read_text(encoding="utf-8").splitlines()
    (old,) = [line for line in lines if line.endswith(" AS client_key,")]
    key = old.strip().removesuffix(" AS client_key,")
    new = f"{instead.format(key=key)}::text AS client_key,"
    own.write_text("\n".join(lines).replace(old.strip(), new), encoding="utf-8")
    code, found = answer("check-sql", "uuid_views")
    assert code == 0
    odd = [each for each in found["findings"] if said in each["text"]]
    assert [each["judgement"] for each in odd] == [judgement]
