"""B: values on their way from a column to a contact: empty, odd, long, and in any time zone."""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Iterator

import psycopg
import pytest

from contact_sync.cli import main as cli
from contact_sync.lookup.explain import explain_client
from local.b2core_demo.rows import add_address, add_client, add_phone
from local.oracle import expected
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
ODD = "ab ,;\"\n\r\t\\'\x01\x7f\u00a0\u2028éA\u030a李👨\u200d👩\ufeff=+-@|<&"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x.example","y")']
ZONES = ["UTC", "Pacific/Auckland", "America/Los_Angeles"]


def map_typed(world: World) -> None:
    """Fill a Number field from the postal code and two Date fields."""
    fields = world.definition.model_dump(mode="json")["fields"]
    for name, field_type, column in (
        ("Balance", "Number", "postal_code"),
        ("Born", "Date", "address_line_2"),
        ("Registered", "Date", "registered_on"),
    ):
        world.emulator.admin.create_field(name, field_type)
        fields[name] = column
    world.redefine(fields=fields)


@LANES
@pytest.mark.parametrize("empty_cell", ["keep", "clear"])
def test_B08_null_empty_and_absent_are_the_same(world: World, lane: str, empty_cell: str) -> None:
    """Each of them gives no value, and takes away the value that was there before."""
    world.emulator.admin.settings(empty_cell=empty_cell)
    world.redefine(lane=lane)
    names = ("null", "empty", "absent")
    for name in names:
        world.add(f"{name}@example.com", phone="+41790000001", address={"city": "Bern"})
    world.add("never@example.com", first_name=None, last_name=" ")
    world.run()
    assert world.contact("never@example.com").keys() == {"email", "custom_fields"}
    for table, column in (("client_phones", "phone"), ("client_addresses", "city")):
        world.sql(f"UPDATE b2core.{table} SET {column} = NULL WHERE client_id = 1")
        world.sql(f"UPDATE b2core.{table} SET {column} = ' \t ' WHERE client_id = 2")
        world.sql(f"DELETE FROM b2core.{table} WHERE client_id = 3")
    counts = world.run("full")["counts"]
    assert (counts["sent"], counts["cleared"]) == (3, 3)
    for name in names:
        contact = world.contact(f"{name}@example.com")
        assert contact["first_name"] == "Ann"
        assert contact.keys().isdisjoint({"phone_number", "city"})
    world.assert_converged()
    assert world.run("full")["counts"]["sent"] == 0


@LANES
def test_B09_B12_what_a_typed_field_can_not_hold_is_dropped_and_counted(
    world: World, lane: str
) -> None:
    """SendGrid would lose the whole contact; here the rest of it arrives."""
    world.redefine(lane=lane)
    map_typed(world)
    good = {"1500": 1500, "1e3": 1000, "2.50": 2.5, "0": 0}
    bad = ["1,5", "NaN", "Infinity", "ten", "0x10", "9" * 40]
    for number, value in enumerate([*good, *bad]):
        world.add(f"n{number}@example.com", address={"postal_code": value, "line2": "31.12.1999"})
    report = world.run()
    assert report["dropped"] == {
        "Balance: not_a_number": len(bad), "Born: not_a_date": len(good) + len(bad),
    }  # fmt: skip
    assert report["books"]["confirmed"] == len(good) + len(bad)
    held = [
        world.contact(f"n{n}@example.com")["custom_fields"] for n in range(len(good) + len(bad))
    ]
    assert [fields.get("Balance") for fields in held] == [*good.values(), *[None] * len(bad)]
    assert not any("Born" in fields for fields in held)


@LANES
def test_B12_a_number_that_is_rounded_is_exact_or_counted(world: World, lane: str) -> None:
    """mautic#11158 ("Only 0 shows"): SendGrid documents two decimals for CSV, so both lanes send no
    more; what that changes is counted like a cut value, and the look-up says it."""
    world.redefine(lane=lane)
    map_typed(world)
    sent = {"0.00012345": 0, "0.004": 0, "1.005": 1.0, "99.995": 100, "-0.001": 0, "1e-9": 0,
            "2.675": 2.67, "1.50": 1.5, "0.10": 0.1, "7": 7, "12.340000": 12.34}  # fmt: skip
    for number, value in enumerate(sent):
        world.add(f"n{number}@example.com", address={"postal_code": value})
    report = world.run()
    held = [
        world.contact(f"n{n}@example.com")["custom_fields"]["Balance"] for n in range(len(sent))
    ]
    exact = [float(text) == stored for text, stored in zip(sent, held, strict=True)]
    assert report["dropped"] == {"Balance: rounded": exact.count(False)}
    assert [round(value, 2) for value in held] == held
    for client, is_exact in enumerate(exact, start=1):
        with world.sync() as sync:
            (found,) = (f for f in explain_client(sync, client).fields if f.name == "Balance")
        assert bool(found.problem) is not is_exact


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A function that puts this process, and what it connects to, into a time zone."""

    def set_it(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("PGTZ", zone)
        time.tzset()

    yield set_it
    monkeypatch.undo()
    time.tzset()


@pytest.mark.own_connections
@LANES
def test_B10_the_workers_time_zone_changes_no_byte(
    world: World, lane: str, set_zone: object
) -> None:
    """Dates near midnight and at year's end, from date, timestamp and text columns."""
    assert callable(set_zone)
    world.redefine(lane=lane)
    map_typed(world)
    for born, created in (
        ("2000-01-01", "2024-02-29T00:30:00Z"),
        ("1999-12-31T23:30:00", "2023-12-31T23:59:59Z"),
        ("2000-01-01T00:30:00+13:00", "2024-06-30T12:00:00Z"),
    ):
        world.add(f"b{born[:4]}{created[:7]}@example.com", address={"line2": born},
                  created_at=created)  # fmt: skip
    sent = set()
    for zone in ZONES:
        set_zone(zone)
        before = len(world.sent())
        assert world.run("resend")["counts"]["sent"] == 3
        sent.add(world.sent()[before:].strip())
    assert len(sent) == 1
    held = [contact["custom_fields"] for contact in world.contacts().values()]
    found = {(fields["Born"][:10], fields["Registered"][:10]) for fields in held}
    assert found == {
        ("2000-01-01", "2024-02-29"), ("1999-12-31", "2023-12-31"), ("1999-12-31", "2024-06-30"),
    }  # fmt: skip


def test_B13_every_cell_of_an_upload_arrives_as_it_was_meant(world: World) -> None:
    """Random rows full of separators: an independent parser finds what an independent reading of
    B2CORE gives, in as many rows and columns as there should be."""
    world.redefine(lane="csv")
    chance = random.Random(13)

    def odd() -> str:
        return "".join(chance.choices(ODD, k=chance.randrange(14)))

    with psycopg.connect(world.b2core_url) as connection:
        for number in range(300):
            client = add_client(
                connection, email=f"c{number}@example.com", first_name=odd(), last_name=odd()
            )
            add_address(connection, client, city=odd(), line1=odd(), line2=odd(), state=odd())
    world.run()
    (upload,) = world.emulator.admin.uploads()
    text = upload.body().decode()
    assert "\ufeff" not in text[:1]
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert {len(row) for row in rows} == {len(header)}
    wanted = expected(world.b2core_url).contacts
    assert len(rows) == len(wanted) == 300
    for row in rows:
        cells = {name: cell for name, cell in zip(header, row, strict=True) if cell}
        contact = dict(wanted[cells["email"]])
        assert cells == contact | contact.pop("custom_fields")
    world.assert_converged()


@pytest.fixture
def connections(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world as the connections that the command line reads."""
    world.connect_airflow(monkeypatch)


def test_B14_a_formula_is_a_name_like_any_other(
    world: World, connections: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """It arrives unchanged (a contact isn't a spreadsheet), and no output of ours holds it."""
    world.redefine(lane="csv")
    for number, formula in enumerate(FORMULAS):
        world.add(f"c{number}@example.com", first_name=formula, phone=f"+4179000000{number}")
    world.add("=cmd", first_name="=2+5")
    assert world.run()["books"]["rejected"] == 1
    for number, formula in enumerate(FORMULAS):
        contact = world.contact(f"c{number}@example.com")
        assert contact["first_name"] == formula.strip()
        assert contact["phone_number"] == f"+4179000000{number}"
    assert cli.main(["status", "demo", "--rejected"]) == 0
    assert cli.main(["status", "demo", "--rejected", "--json"]) == 0
    said = capsys.readouterr().out
    assert "client 8: email: not valid" in said
    assert not any(formula in said for formula in [*FORMULAS[3:], "=1+1", "=2+5", "=cmd"])


@LANES
def test_P10_a_huge_value_is_cut_before_it_leaves(world: World, lane: str) -> None:
    """Megabytes in a name or a phone and a very long address harm nobody."""
    world.redefine(lane=lane)
    huge = 1_000_000
    world.add("ann@example.com", first_name="é" * huge)
    world.add("bob@example.com", last_name="e\u0301" * huge, phone="1" * huge)
    world.add("x" * 10_000 + "@example.com")
    report = world.run()
    assert report["rejections"] == {"email: invalid": 1}
    assert report["dropped"] == {
        "first_name: too_long": 1, "last_name: too_long": 1, "phone_number: number_too_long": 1,
    }  # fmt: skip
    assert len(world.sent()) < 2_000
    assert world.contact("ann@example.com")["first_name"] == "é" * 50
    world.assert_converged()
    assert world.state("SELECT max(length(t::text)) < 1000 FROM contact_sync.ledger AS t") == [
        (True,)
    ]


def test_B04_the_order_of_rows_changes_no_byte(world: World) -> None:
    """The same clients, phones and addresses in any order in their tables: the same lines.

    A file's lines come as PostgreSQL's planner likes to read them (contact_sync.state, `payloads`).
    """
    world.redefine(lane="csv")
    rows = [(n, f"Shared{n % 4}@example.com" if n % 3 else f"own{n}@x.co") for n in range(1, 13)]
    bodies = set()
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        world.sql("TRUNCATE b2core.clients CASCADE")
        with psycopg.connect(world.b2core_url) as connection:
            for client, email in rows:
                add_client(connection, id=client, email=email, first_name=f"N{client}")
                for child in random.Random(seed + client).sample(range(3), 3):
                    when = f"2026-01-0{1 + child // 2}"  # two of three at the same moment
                    add_phone(connection, client, f"+417900000{client:02}{child}", updated_at=when,
                              id=client * 10 + child)  # fmt: skip
                    add_address(connection, client, city=f"City {child}", updated_at=when,
                                id=client * 10 + child)  # fmt: skip
        report = world.run("resend")
        assert report["exclusions"] == {"shared_address": 4}
        body = world.emulator.admin.uploads()[-1].body()
        bodies.add(tuple(sorted(body.splitlines())))
    assert len(bodies) == 1
    world.assert_converged()
