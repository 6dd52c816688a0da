"""The generator and the demo's changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contact_sync.contacts.phones import e164
from local.b2core_demo import apply_demo_changes, generate
from local.b2core_demo.rows import add_client
from local.numbering_plans import exists
from local.oracle import Address, chosen_addresses, chosen_phones
from local.oracle_phones import phone_number
from tests.support import source_statements
from tests.support.columns import column, values

N = 10_000


@pytest.fixture(scope="module")
def generated(database: str) -> str:
    """Return the URL of a B2CORE with N clients; the tests that use it only read."""
    started = time.monotonic()
    generate(database, clients=N, seed=7, replace=True)
    # About 0.25 s; a plan that went quadratic would take minutes.
    assert time.monotonic() - started < 10
    return database


def count(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        (value,) = connection.execute(f"SELECT {query}").fetchone() or (None,)
    return value


SHARES = {
    "clients c WHERE c.email IS NULL OR trim(c.email) !~ '^[!-~]+@[!-~]+[.](com|org|net)$'": (
        0.004,
        0.03,
    ),
    "clients c WHERE c.email IS NULL": (0.001, 0.006),
    "clients c WHERE c.email <> lower(trim(c.email))": (0.01, 0.04),
    "clients c WHERE EXISTS (SELECT FROM b2core.clients o WHERE o.email = c.email AND o.id > c.id)"
    " AND c.email <> ''": (0.001, 0.006),
    "clients c WHERE length(c.first_name) > 50": (0.0001, 0.003),
    "clients c WHERE c.first_name ~ '[\\n\\t]' OR c.last_name ~ '[\\n\\t]'": (0.0005, 0.01),
    "clients c WHERE c.last_name LIKE '%''%' OR c.last_name LIKE '%,%'": (0.02, 0.3),
    "clients c WHERE c.first_name ~ '[\\u0410-\\u044f]'": (0.05, 0.3),
    "clients c WHERE c.first_name ~ '[\\u03b1-\\u03c9]'": (0.01, 0.2),
    "clients c WHERE c.first_name ~ '[\\u0621-\\u064a]'": (0.01, 0.2),
    "clients c WHERE c.last_name ~ '[\\u4e00-\\u9fff]'": (0.02, 0.3),
    "clients c WHERE c.jurisdiction_id IS NULL": (0.05, 0.25),
    "clients c WHERE c.status_id = 1": (0.75, 0.9),
    "clients c WHERE NOT EXISTS (SELECT FROM b2core.client_phones p WHERE p.client_id = c.id)": (
        0.02,
        0.06,
    ),
    "clients c WHERE NOT EXISTS (SELECT FROM b2core.client_addresses a WHERE a.client_id = c.id)": (
        0.04,
        0.1,
    ),
    "client_phones p WHERE p.phone ~ '^[+][0-9]{8,15}$'": (1.0, 1.2),
    "client_phones p WHERE p.phone LIKE '00%'": (0.03, 0.1),
    "client_phones p WHERE p.confirmed": (0.4, 0.7),
    "client_addresses a WHERE a.country_id IS NULL": (0.01, 0.06),
    "client_addresses a WHERE length(a.city) > 60": (0.0001, 0.003),
    "client_addresses a WHERE a.line1 LIKE E'%\\n%'": (0.0002, 0.01),
}


def test_B15_no_number_of_the_generated_clients_is_sent_wrong(generated: str) -> None:
    """The product's rule is Google's library; numbering plans written by hand judge what it sends,
    and find no number for whom it sends none."""
    with psycopg.connect(generated) as connection:
        phones, addresses = chosen_phones(connection), chosen_addresses(connection)
    clients = [client for client, phone in phones.items() if phone]
    texts = [phones[client] for client in clients]
    codes = [addresses.get(client, Address()).country_code for client in clients]
    sent = values(e164(column(texts), column(codes)).values)
    assert [number for number in sent if number and not exists(number)] == []
    other = [
        (text, code, number)
        for text, code, number in zip(texts, codes, sent, strict=True)
        if phone_number(text, code) != (number or "")
    ]
    assert other == []
    assert sum(number is not None for number in sent) > 0.9 * len(sent)


@pytest.mark.parametrize(("rows", "share"), SHARES.items(), ids=SHARES.keys())
def test_every_kind_of_value_is_there(
    generated: str, rows: str, share: tuple[float, float]
) -> None:
    least, most = share
    assert least * N <= count(generated, f"count(*) FROM b2core.{rows}") <= most * N


def test_the_keys_are_sound(generated: str) -> None:
    assert count(generated, "array[count(*), min(id), max(id)] FROM b2core.clients") == [N, 1, N]
    with psycopg.connect(generated) as connection:
        assert len(source_statements.clients(connection)) == N
    for table in ("client_phones", "client_addresses"):
        lost = f"b2core.{table} WHERE client_id NOT IN (SELECT id FROM b2core.clients)"
        assert count(generated, f"count(*) FROM {lost}") == 0
    confirmed = "count(*) - count(DISTINCT client_id) FROM b2core.client_phones WHERE confirmed"
    assert count(generated, confirmed) == 0


def test_the_contract_and_the_oracle_choose_the_same(generated: str) -> None:
    with psycopg.connect(generated) as connection:
        phones = chosen_phones(connection)
        addresses = chosen_addresses(connection)
        for row in source_statements.clients(connection):
            assert row["phone"] == phones.get(row["client_id"])
            assert addresses.get(row["client_id"], Address()) == Address(
                line1=row["address_line_1"],
                line2=row["address_line_2"],
                city=row["city"],
                state=row["state"],
                postal_code=row["postal_code"],
                country=row["country"],
                country_code=row["country_code"],
            )


def test_one_client_later_has_a_new_id(generated: str) -> None:
    with psycopg.connect(generated) as connection:
        assert add_client(connection) == N + 1
        connection.rollback()


def test_same_seed_same_clients(b2core: str) -> None:
    def content() -> list[Any]:
        digest = "md5(string_agg(t::text, '|' ORDER BY t.id)) FROM b2core.{} t"
        tables = ("clients", "client_phones", "client_addresses")
        return [count(b2core, digest.format(table)) for table in tables]

    generate(b2core, clients=500, seed=1)
    first = content()
    generate(b2core, clients=500, seed=1, replace=True)
    assert content() == first
    generate(b2core, clients=500, seed=2, replace=True)
    assert not set(content()) & set(first)


def test_refuses_to_replace_clients_by_accident(b2core: str) -> None:
    generate(b2core, clients=5)
    with pytest.raises(ValueError, match="clients already"):
        generate(b2core, clients=5)
    with pytest.raises(ValueError, match="between 1 and"):
        generate(b2core, clients=0)


def test_changes_are_found_and_named(b2core: str) -> None:
    generate(b2core, clients=2_000)
    for _ in range(2):
        with psycopg.connect(b2core) as connection:
            before = source_statements.horizon(connection)
            rows_before = {row["client_id"]: row for row in source_statements.clients(connection)}
        lines = apply_demo_changes(b2core)
        assert len(lines) == 7
        assert not any("@" in line for line in lines)
        named = {int(line.split()[1]) for line in lines[:6]}
        with psycopg.connect(b2core) as connection:
            changed = set(source_statements.ids("changed_xmin", connection, horizon=before))
            rows_after = {row["client_id"]: row for row in source_statements.clients(connection)}
        differ = {i for i, row in rows_after.items() if row != rows_before.get(i)}
        assert len(named) == 6
        assert named <= differ
        assert differ == changed


def test_changes_need_clients(b2core: str) -> None:
    with pytest.raises(ValueError, match="Generate clients first"):
        apply_demo_changes(b2core)
    assert count(b2core, "count(*) FROM b2core.clients") == 0


def test_command_line(b2core: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local.b2core_demo", *arguments],
            env={**os.environ, "B2CORE_URL": b2core},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("create").returncode == 0
    assert run("generate", "--clients", "300", "--seed", "3").stdout == "300 clients\n"
    assert len(run("change").stdout.splitlines()) == 7
    again = run("generate", "--clients", "300")
    assert (again.returncode, again.stderr.startswith("Not done: There are clients")) == (1, True)
