"""The world that a sync lives in: a real B2CORE, a real state database, the SendGrid emulator.

Tests change the source with SQL, run the sync, and look at the contacts; `assert_converged`
compares every contact with an oracle that shares no code with the package.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from contact_sync.b2core.reader import B2Core
from contact_sync.base.marks import Marks
from contact_sync.base.vocabulary import RunKind
from contact_sync.config.account_profile import NOTHING_KNOWN, AccountProfile
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definition
from contact_sync.config.tuning import Tuning
from contact_sync.contacts.hash_keys import HashKeys
from contact_sync.reporting.run_report import RunReport, run_report
from contact_sync.run.in_one_process import run_sync
from contact_sync.sendgrid.api import SendGridApi
from contact_sync.state.database import StateDatabase
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.runs import Options
from contact_sync.sync import Sync, no_hash_keys
from local.b2core_demo.rows import add_address, add_client, add_phone
from local.oracle import differences, expected
from local.sendgrid_emulator.process import Emulator
from tests.support import connections
from tests.support.allowed_calls import AS_TEST, is_upsert
from tests.support.consents import PLAIN, Audit
from tests.support.hash_keys import AS_CONNECTION, HASH_KEYS

API_KEY = "SG.canary-key-0123456789"
LIST_NAME = "B2CORE clients"
CUSTOM_FIELDS = ("Status", "Client_type", "Verification_level", "Jurisdiction")
JSON_TYPE = "application/json"
QUICK = {"job_hours": 0.002, "quarantine_minutes": 0.0}  # 7 s


@dataclass
class World:
    """Handles to all parts, and the few verbs that tests need."""

    b2core_url: str
    reader_url: str
    state_url: str
    emulator: Emulator
    definition: SyncDefinition = field(
        default_factory=lambda: define(deadlines=QUICK, tuning={"csv_from_contacts": 30_000})
    )
    list_id: str = ""
    sql_folder: Path = PLAIN
    marks: Marks | None = None
    audit: Audit = field(default_factory=Audit)
    hash_keys: HashKeys | None = HASH_KEYS
    profile: AccountProfile = NOTHING_KNOWN

    def redefine(self, **changes: Any) -> None:
        """Edit the sync's definition; a key of its tuning goes by its own name."""
        data = self.definition.model_dump(mode="json")
        data["tuning"] |= {key: changes.pop(key) for key in Tuning.model_fields if key in changes}
        data |= changes
        self.definition = SyncDefinition.model_validate(data)
        self.audit.look(self)

    @contextlib.contextmanager
    def sync(self, api_key: str = API_KEY) -> Iterator[Sync]:
        """Open handles for the steps."""
        self.audit.look(self)
        api = SendGridApi(self.emulator.base_url, api_key, read_only=self.definition.shadow)
        limit = self.definition.source.statement_timeout_seconds
        source = B2Core(self.reader_url, self.sql_folder, limit)
        try:
            with StateDatabase(self.state_url).keeping_connections() as state:
                keys: Any = {
                    "hash_keys": lambda: self.hash_keys or no_hash_keys(),
                    "profile": self.profile,
                }
                yield Sync(self.definition, source, state, api, self.marks, **keys)
        finally:
            api.close()

    def connect_airflow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be reachable through the Airflow connections that the demo's definition names."""
        monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", self.reader_url)
        monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_STATE", self.state_url)
        sendgrid = {"conn_type": "sendgrid", "host": self.emulator.base_url, "password": API_KEY}
        monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", json.dumps(sendgrid))
        monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_HASH_KEY", AS_CONNECTION)

    def run(self, kind: str = "incremental", **options: Any) -> dict[str, Any]:
        """Run the sync to its end and return the run's report."""
        with self.sync(options.pop("api_key", API_KEY)) as sync:
            take_over = options.pop("take_over", False)
            asked = Options(**options)
            run_id = run_sync(
                sync, RunKind(kind), holder="test", options=asked, take_over=take_over
            )
        return self.report(run_id)

    def report(self, run_id: int | None = None) -> dict[str, Any]:
        """The report of a run as `status --json` has it; of the newest one by default."""
        return self.run_report(run_id).to_json()

    def run_report(self, run_id: int | None = None) -> RunReport:
        """The report of a run; of the newest one by default."""
        with StateDatabase(self.state_url).transaction() as cursor:
            rows = latest_runs(cursor, [self.definition.name], 50)
        return next(run_report(r) for r in rows if run_id is None or r.id == run_id)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Change or read B2CORE as its owner."""
        with connections.connection(self.b2core_url) as connection:
            cursor = connection.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
        self.audit.look(self)
        return rows

    def state(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read or break the state database."""
        with connections.connection(self.state_url) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def contacts(self) -> dict[str, dict[str, Any]]:
        """All contacts of the account by address."""
        return self.emulator.admin.contacts()

    def contact(self, email: str) -> dict[str, Any]:
        """One contact, without what SendGrid adds itself, unset fields left out."""
        found = self.contacts()[email]
        own = ("id", "created_at", "updated_at", "_metadata", "list_ids", "segment_ids")
        return {k: v for k, v in found.items() if k not in own and v not in ("", None, [], {})}

    def writes(self) -> list[str]:
        """Every call that may have changed the account: "METHOD route"."""
        reads = ("GET", "POST /v3/marketing/contacts/search", "POST /v3/marketing/contacts/exports")
        calls = [f"{call['method']} {call['path']}" for call in self.emulator.admin.calls()]
        return [call for call in calls if not call.startswith(reads)]

    def calls(self, method: str, route: str) -> list[dict[str, Any]]:
        """The calls to a route, in order."""
        every = self.emulator.admin.calls()
        return [call for call in every if (call["method"], call["route"]) == (method, route)]

    def sent(self) -> str:
        """Everything that left for SendGrid: bodies of upserts and uploaded files, as text."""
        admin = self.emulator.admin
        bodies = [admin.call_body(call["number"]) for call in admin.calls() if is_upsert(call)]
        return "\n".join(b.decode() for b in [*bodies, *(u.body() for u in admin.uploads())])

    def last_upsert(self) -> str:
        """The body of the newest JSON upsert."""
        newest = [c["number"] for c in self.emulator.admin.calls() if is_upsert(c)][-1]
        return self.emulator.admin.call_body(newest).decode()

    def recreate_field(self, name: str, field_type: str | None) -> str:
        """Delete a custom field and make it again (None: don't); returns the old id."""
        with self.sync() as sync:
            old = next(field.id for field in sync.sendgrid.fields() if field.name == name)
        self.delete_at_sendgrid(f"field_definitions/{old}")
        if field_type is not None:
            self.emulator.admin.create_field(name, field_type)
        return old

    def delete_at_sendgrid(self, path: str) -> None:
        """Delete a list or a field as somebody would in SendGrid's pages."""
        url = f"{self.emulator.base_url}/v3/marketing/{path}"
        key = {"Authorization": f"Bearer {API_KEY}", **AS_TEST}
        requests.delete(url, headers=key, timeout=10).raise_for_status()

    def refuse(self, *emails: str, key: str = "email") -> None:
        """Have SendGrid refuse the next JSON upsert for these addresses, as it does: with 400."""
        said, at = "email '{}' is not valid", f"contacts[0].{key}"
        errors = [{"field": at, "message": said.format(email)} for email in emails]
        what = {"body": json.dumps({"errors": errors}), "headers": {"content-type": JSON_TYPE}}
        self.emulator.admin.fault("PUT", "/v3/marketing/contacts", status=400, **what)

    def refuse_rows(self, *emails: str) -> None:
        """Have SendGrid's jobs refuse the rows of these addresses: it has contacts for them with an
        identifier that the sync omits."""
        for number, email in enumerate(emails):
            self.emulator.admin.put_contacts({"email": email, "external_id": f"other {number}"})

    def forget_a_job(self) -> None:
        """Have SendGrid say, the next time it is asked about a job, that there is no such job."""
        body = json.dumps({"errors": [{"message": "not found"}]})
        route, kind = "/v3/marketing/contacts/imports/{job_id}", {"content-type": JSON_TYPE}
        self.emulator.admin.fault("GET", route, status=404, body=body, headers=kind)

    def add(
        self,
        email: str | None,
        *,
        phone: str | None = None,
        address: dict[str, Any] | None = None,
        **columns: Any,
    ) -> int:
        """Insert a client, with a phone and an address if given; returns its id."""
        with connections.connection(self.b2core_url) as connection:
            client = add_client(connection, email=email, **columns)
            if phone is not None:
                add_phone(connection, client, phone)
            if address is not None:
                add_address(connection, client, **address)
        self.audit.look(self)
        return client

    def add_clients(self, n: int) -> list[str]:
        """Insert clients 1 to n of an empty B2CORE; returns their addresses."""
        emails = [f"client{number}@example.com" for number in range(1, n + 1)]
        for email in emails:
            self.add(email, first_name="Zoë", status_id=1)
        return emails

    def edit(self, client: int, **columns: Any) -> None:
        """Change columns of a client and of nothing else: `updated_at` moves only if given."""
        settings = ", ".join(f"{name} = %s" for name in columns)
        self.sql(f"UPDATE b2core.clients SET {settings} WHERE id = %s", *columns.values(), client)

    def fates(self) -> dict[int, str]:
        """The ledger: each client's state, with field, reason and detail where there are any."""
        rows = self.state(
            """SELECT client_id, concat_ws(': ', l.state, field, l.reason, l.detail)
               FROM contact_sync.ledger AS l JOIN contact_sync.sync USING (sync_id)
               WHERE name = %s ORDER BY client_id""",
            self.definition.name,
        )
        return dict(rows)

    def seed(self) -> None:
        """Six clients: two share an address, one has a bad one, one has hardly anything."""
        with connections.connection(self.b2core_url) as connection:
            for number in range(1, 6):
                client = add_client(
                    connection,
                    email=f"client{number}@example.com" if number != 4 else "client3@example.com",
                    first_name=f"Zoë {number}",
                    status_id=1,
                )
                add_phone(connection, client, f"+4179000000{number}")
                add_address(connection, client, city="Zürich", line1=f"Weg {number}")
            add_client(connection, email="not an address")

    def change(self) -> None:
        """One of each kind of change: name, cleared phone, city, address, swap, newcomer."""
        self.sql("UPDATE b2core.clients SET first_name = 'Ana' WHERE email = 'client1@example.com'")
        self.sql("UPDATE b2core.client_phones SET phone = '' WHERE client_id = 1")
        self.sql("UPDATE b2core.client_addresses SET city = 'Genève' WHERE client_id = 2")
        self.sql("UPDATE b2core.clients SET email = 'moved@example.com' WHERE id = 5")
        self.sql("UPDATE b2core.clients SET email = 'client6@example.com' WHERE id = 6")

    def change_again(self) -> None:
        """Edits that arrive between a crash and the next run."""
        self.sql("UPDATE b2core.clients SET last_name = 'Later' WHERE id IN (2, 5)")

    def portable(self) -> World:
        """A copy for another process: it finds the emulator by its address."""
        emulator = SimpleNamespace(base_url=self.emulator.base_url)
        return replace(self, emulator=cast(Emulator, emulator))

    def assert_converged(
        self,
        *,
        unlisted: Collection[str] | None = (),
        excluded: Collection[int] = (),
        rejected: Collection[int] = (),
    ) -> None:
        """Every contact is what the oracle says and on the list, and there is no other, save
        exactly the `unlisted` ones, off the list (None: any number of them)."""
        wanted = expected(self.b2core_url, excluded, rejected)
        found = differences(self.contacts(), wanted, list_id=self.list_id, unlisted=unlisted)
        assert found == []

    def assert_dropped(self, *without: Collection[Any]) -> None:
        """Exactly the values are kept as dropped or cut that the oracle says; `without` whom."""
        rows = self.state(
            """SELECT client_id, field FROM contact_sync.dropped_value
               JOIN contact_sync.sync USING (sync_id) WHERE name = %s""",
            self.definition.name,
        )
        assert set(rows) == expected(self.b2core_url, *without).unfit_of_clients()
        assert len(set(rows)) == len(rows)


def define(**changes: Any) -> SyncDefinition:
    """The demo's definition with changes."""
    data = read_definition("demo").model_dump(mode="json") | changes
    return SyncDefinition.model_validate(data)
