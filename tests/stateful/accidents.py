"""What happens to a sync from outside, at any moment of a history: its state, its account, B2CORE
or a clock is set back, lost, replaced; its definition is edited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.errors import LeaseBusy, SyncError
from contact_sync.state.syncs import rename_sync
from local.sendgrid_emulator.process import Emulator
from tests.stateful import backups, child
from tests.stateful.drawn import EMAILS, MODES, POLICIES, WHO
from tests.stateful.machine import History
from tests.support.databases import empty
from tests.support.world import CUSTOM_FIELDS, LIST_NAME

RESTORES_ARE_NOTICED = True
"""True: a run notices by itself that its state went back, and makes all contacts equal; until that
is so, a person triggers one of mode resend."""
REUSED_IDS_ARE_NEW_PEOPLE = True
"""True: what was known of a client says nothing of another person who gets its id."""
CLOCKS_MAY_JUMP = True
"""True: back, too, which lengthens no wait; else only ahead."""

NAMES = ("demo", "renamed")
LISTS = (LIST_NAME, "Another list")
JOBS_END = 0.6  # seconds; longer than the slowest job that is drawn
RELOAD = """
CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM b2core.client_phones;
TRUNCATE b2core.client_phones;
INSERT INTO b2core.client_phones OVERRIDING SYSTEM VALUE SELECT * FROM kept
"""
MADE_AGAIN = """
CREATE TABLE b2core.made_again (LIKE b2core.client_phones INCLUDING ALL);
INSERT INTO b2core.made_again OVERRIDING SYSTEM VALUE SELECT * FROM b2core.client_phones;
SELECT setval(pg_get_serial_sequence('b2core.made_again', 'id'),
    (SELECT coalesce(max(id), 0) + 1 FROM b2core.client_phones));
DROP TABLE b2core.client_phones;
ALTER TABLE b2core.made_again RENAME TO client_phones;
ALTER SEQUENCE b2core.made_again_id_seq RENAME TO client_phones_id_seq;
ALTER TABLE b2core.client_phones ADD FOREIGN KEY (client_id) REFERENCES b2core.clients (id)
    ON DELETE CASCADE;
GRANT SELECT ON b2core.client_phones TO contact_sync_reader
"""
REPLACED = st.sampled_from([RELOAD, MADE_AGAIN])
NEW_PERSON = """
WITH gone AS (DELETE FROM b2core.clients WHERE id = %(id)s AND id <> 1 RETURNING id)
INSERT INTO b2core.clients (id, email, first_name, last_name)
SELECT id, %(email)s, 'New', 'Person' FROM gone
"""


class Accidents(History):
    """A history in which also that happens which nobody plans."""

    erases = False
    state_owner: str
    """URL of the state database for its superuser, as all below set by the test."""
    other_account: Emulator

    def __init__(self) -> None:
        super().__init__()
        self.backup: tuple[backups.Backup, str] | None = None  # and the sync's name
        self.keep_for = 100
        self.backed_up = 0  # how many runs there were then
        self.office_backup: backups.Backup | None = None
        admin = self.world.emulator.admin
        self.list_ids = {LIST_NAME: self.world.list_id, LISTS[1]: admin.create_list(LISTS[1])}
        self.fields = self.world.definition.model_dump(mode="json")["fields"]

    @initialize(keep_for=st.integers(1, 4))
    def plan_backups(self, keep_for: int) -> None:
        """After so many runs, each time."""
        self.keep_for = keep_for

    @initialize(change=POLICIES, lost=POLICIES, gone=POLICIES, exclusion=POLICIES)
    def write_policies(self, **drawn: str) -> None:
        """Of removals; each is one of two."""
        self.edit_policies(**drawn)

    # The state database ----------------------------------------------------------------------

    @invariant()
    def go_on(self) -> None:
        """After so many runs the databases are backed up."""
        super().go_on()
        if self.runs >= self.backed_up + self.keep_for and self.late is None:
            self.backed_up = self.runs
            self.backup = (
                backups.take(self.state_owner, "contact_sync"),
                self.world.definition.name,
            )
            self.office_backup = backups.take(self.world.b2core_url, "b2core")

    @precondition(lambda self: self.backup is not None and self.runs > self.backed_up)
    @rule(office=st.booleans())
    def restore(self, office: bool) -> None:
        """The backup is put back, after the processes that were at work have been ended; perhaps
        that of B2CORE, too, as after a fire."""
        assert self.backup is not None
        self.let_all_end()
        backup, name = self.backup
        backups.put_back(self.state_owner, "contact_sync", backup)
        self.world.redefine(name=name)
        if office and self.late is None:
            self.restore_office()
        self.went_back()
        if not RESTORES_ARE_NOTICED:
            self.needs_resend = True

    @precondition(lambda self: self.runs > 0)
    @rule()
    def lose_state(self) -> None:
        """Without a backup: the next run is a first load, which removes no one (P06)."""
        self.let_all_end()
        empty(self.state_owner, "contact_sync")
        self.went_back()
        self.backup, self.backed_up = None, self.runs

    def let_all_end(self) -> None:
        """No process is left, and SendGrid has done what was sent."""
        self.end_zombie()
        time.sleep(JOBS_END + self.lag)
        self.world.audit.look(self.world)

    def went_back(self) -> None:
        """What is at SendGrid and nowhere else stays, as long as no run meets its address."""
        self.may_return()
        self.unproven = True
        query = (
            """SELECT email FROM contact_sync.ledger UNION SELECT email FROM contact_sync.removal"""
        )
        known = {row[0] for row in self.world.state(query)}
        self.orphans |= self.listed() - known - self.strangers.keys()
        self.notes.clear()
        self.opt_outs.clear()
        by_hand = "SELECT 1 FROM contact_sync.ledger WHERE reason = 'removed_by_hand'"
        if self.world.state(by_hand):  # a run that is forgotten may have brought them back
            self.needs_resend = True

    @rule()
    def rename_sync(self) -> None:
        """The definition gets another name, and the command says so."""
        name = self.world.definition.name
        new = NAMES[1 - NAMES.index(name)]
        self.world.audit.look(self.world)
        try:
            with self.world.sync() as sync, sync.state.transaction() as cursor:
                if self.world.state("SELECT 1 FROM contact_sync.sync WHERE name = %s", name):
                    rename_sync(cursor, name, new)
        except LeaseBusy:
            return
        self.world.redefine(name=new)

    @rule(hours=st.sampled_from([-24, -1, 1, 24]))
    def jump(self, hours: int) -> None:
        """The clock of the state's server jumps; seen from it, all that is stored lies elsewhere.

        Ahead, when SendGrid has done all: what comes later than its deadline isn't promised."""
        if hours < 0 and not CLOCKS_MAY_JUMP:
            return
        if hours > 0 and (self.zombie is not None or self.is_disturbed()):
            return
        time.sleep(JOBS_END + self.lag)
        self.world.audit.look(self.world)
        backups.shift_times(self.state_owner, "contact_sync", -hours)

    # The account -----------------------------------------------------------------------------

    @rule(mode=st.sampled_from(["incremental", "full"]))
    def take_another_account(self, mode: str) -> None:
        """The connection gets the key of another account for a while: the run stops."""
        query = """SELECT count(*) FROM contact_sync.ledger JOIN contact_sync.sync USING (sync_id)
                   WHERE state = 'confirmed' AND email IS NOT NULL AND name = %s
                       AND destination ->> 'key_mark' IS NOT NULL"""
        if self.zombie or self.world.state(query, self.world.definition.name) == [(0,)]:
            return
        time.sleep(self.lag and self.lag + child.LAG_MARGIN)
        self.other_account.admin.reset()
        for name in CUSTOM_FIELDS:
            self.other_account.admin.create_field(name, "Text")
        for name in LISTS:
            self.other_account.admin.create_list(name)
        elsewhere = replace(self.world, emulator=self.other_account)
        with pytest.raises(SyncError), child.patience():
            elsewhere.run(mode, take_over=True)
        assert elsewhere.writes() == []

    # B2CORE ----------------------------------------------------------------------------------

    @precondition(lambda self: self.late is None)
    @rule(how=REPLACED)
    def replace_table(self, how: Any) -> None:
        """A table is loaded again, or made again, between two runs."""
        self.edit(how)

    @precondition(lambda self: self.late is None)
    @rule(how=REPLACED, mode=MODES)
    def replace_table_in_a_run(self, how: Any, mode: str) -> None:
        """To the run's snapshot it is empty then."""
        disturbed, real, left = self.is_disturbed(), Snapshot.clients, [how]
        self.may_return()

        def clients(snapshot: Snapshot, *arguments: Any) -> Iterator[Any]:
            snapshot.position()  # takes the snapshot
            if left:
                self.edit(left.pop())
            return real(snapshot, *arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Snapshot, "clients", clients)
            self.attempt(mode, disturbed=disturbed)

    @precondition(lambda self: self.late is None)
    @rule(table=st.sampled_from(["client_phones", "client_addresses"]))
    def empty_table(self, table: str) -> None:
        """For good; only a full run sees it."""
        statement = psycopg.sql.SQL("TRUNCATE {}").format(psycopg.sql.Identifier("b2core", table))
        with self.office() as connection:
            connection.execute(statement)

    @precondition(lambda self: self.late is None and self.office_backup is not None)
    @rule()
    def restore_office(self) -> None:
        """Ids that were given since are given again, to others."""
        assert self.office_backup is not None
        self.may_return()
        backups.put_back(self.world.b2core_url, "b2core", self.office_backup)

    @rule(n=WHO, email=EMAILS)
    def reuse_id(self, n: int, email: str | None) -> None:
        """A client is deleted, and another person gets its id."""
        self.may_return()
        who = self.client(n)
        had = set[str]().union(*(had for person, had in self.lives.items() if person[0] == who))
        self.edit(NEW_PERSON, id=who, email=email)
        if not REUSED_IDS_ARE_NEW_PEOPLE:
            self.lives |= {person: set(had) for person in self.people() if person[0] == who}

    # The definition --------------------------------------------------------------------------

    def edit_policies(self, change: str, lost: str, gone: str, exclusion: str) -> None:
        """What happens to contacts that have to go."""
        self.world.redefine(
            on_address_change=change, on_address_lost=lost, on_client_deleted=gone,
            on_exclusion=exclusion,
        )  # fmt: skip

    @rule(change=POLICIES, lost=POLICIES, gone=POLICIES, exclusion=POLICIES)
    def change_policies(self, **drawn: str) -> None:
        """In mid-history."""
        self.edit_policies(**drawn)

    @rule(left_out=st.sets(st.sampled_from(["city", "phone_number", "Verification_level"])))
    def change_mapping(self, left_out: set[str]) -> None:
        """Some fields aren't mapped for a while."""
        self.map_without(left_out)

    def map_without(self, left_out: set[str]) -> None:
        """Map all fields but some."""
        fields = {name: field for name, field in self.fields.items() if name not in left_out}
        self.world.redefine(fields=fields)

    @rule(
        lane=st.sampled_from(["auto", "csv"]), slice_clients=st.sampled_from([2, 250_000]),
        csv_batch_contacts=st.sampled_from([2, 250_000]),
    )  # fmt: skip
    def change_tuning(self, **drawn: Any) -> None:
        """Other lanes, slices and batches."""
        self.world.redefine(**drawn)

    @rule(policy=st.sampled_from(["keep", "unlist"]))
    def change_list(self, policy: str) -> None:
        """Everyone goes to the other of two lists; who was left there is nobody's."""
        self.may_return()
        name = LISTS[1 - LISTS.index(self.world.definition.list or LIST_NAME)]
        self.world.redefine(list=name, on_list_change=policy)
        self.world.list_id, self.list_is_new = self.list_ids[name], True
        self.orphans |= self.listed() - self.strangers.keys()

    def quiesce(self) -> None:
        """All fields are mapped again."""
        self.map_without(set())
        super().quiesce()
