"""Read a slice's clients, transform them, compare with the ledger, stage what differs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import FieldType, RunKind
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.transform import Transformed, transform
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.run.context import mapping_of
from contact_sync.run.select_clients import EXCLUDED, SHARED, TAKES_OVER
from contact_sync.state import batches, ledger, staging
from contact_sync.state.ledger import Fate, LedgerRows
from contact_sync.state.runs import Run
from contact_sync.state.staging import Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)
Mask = npt.NDArray[np.bool_]


def stage_slice(sync: Sync, run: Run, slice_no: int) -> dict[str, Any]:
    """Stage one slice and return its counts; repeating it replaces what an earlier try staged.

    A dry run only counts.
    """
    part = staging.load_slice(sync.state, run.run_id, slice_no)
    ids = np.asarray(part.members.column("client_id"), np.int64)
    known = ledger.ledger_rows(sync.state, run.sync_id, ids)
    diff = _Diff(
        mapping_of(run), part, known,
        resend=run.kind is RunKind.RESEND, retry_rejected=run.retry_rejected,
    )  # fmt: skip
    frames = _frames(sync, run, part, diff)
    with sync.state.transaction(run.fence) as cursor:
        staging.lock_slice(cursor, run.run_id, slice_no)
        batches.drop_plan(cursor, run.run_id)
        if run.dry_run:
            for _ in frames:
                pass
        else:
            staging.fill_outbox(cursor, run.run_id, part, frames)
            ledger.merge_fates(cursor, run.sync_id, diff.fates())
            reach("slice_uncommitted")
        counts = diff.report()
        staging.save_slice_counts(cursor, run.run_id, slice_no, counts)
    reach("slice_staged")
    log.info("Slice %d: %s", slice_no, ", ".join(f"{n} {what}" for what, n in diff.counts.items()))
    return counts


def _frames(sync: Sync, run: Run, part: Slice, diff: _Diff) -> Iterator[pd.DataFrame]:
    ids = None
    if run.kind is RunKind.INCREMENTAL:
        ids = np.asarray(part.members.column("client_id"), np.int64)
    with sync.b2core.snapshot() as snapshot:
        columns = diff.mapping.columns
        for batch in ahead(snapshot.clients(columns, part.first_id, part.last_id, ids)):
            yield diff.apply(transform(batch, diff.mapping))


class _Diff:
    """Gives every client of a slice exactly one fate, chunk by chunk."""

    def __init__(
        self, mapping: Mapping, part: Slice, known: LedgerRows, *, resend: bool,
        retry_rejected: bool = False,
    ) -> None:  # fmt: skip
        self.mapping = mapping
        self.known = known
        self.counts: Counter[str] = Counter()
        self._resend = resend
        self._retry_rejected = resend or retry_rejected
        self._ids = np.asarray(part.members.column("client_id"), np.int64)
        self._email_hash = np.asarray(part.members.column("email_hash"), np.int64)
        self._verdict = np.asarray(part.members.column("verdict"), np.int8)
        self._seen = np.zeros(len(self._ids), bool)
        self._fates: list[pd.DataFrame] = []
        self._why: dict[str, Counter[str]] = {
            "rejections": Counter(), "exclusions": Counter(), "dropped": Counter(),
            "stale": Counter(),
        }  # fmt: skip

    def apply(self, transformed: Transformed) -> pd.DataFrame:
        """The contacts to send of one chunk; everyone else's fate is kept and counted."""
        self._why["dropped"] += transformed.dropped
        frame, at = self._members(transformed.frame)
        verdict = self._verdict[at]
        moved = self._email_hash[at] != frame["email_hash"].to_numpy()
        has_exclusion = frame["exclusion"].notna().to_numpy(bool)
        excluded = ((verdict & EXCLUDED) > 0) | has_exclusion
        rejected = frame["reason"].notna().to_numpy(bool)
        shared = (verdict & SHARED) > 0
        fates = np.select([moved, excluded, rejected, shared],
                          ["pending", "excluded", "rejected", "shared"], "send")  # fmt: skip
        self._keep(frame, fates)
        rest = fates == "send"
        return self._compare(_only(frame, rest), (verdict[rest] & TAKES_OVER) > 0)

    def _members(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
        ids = frame["client_id"].to_numpy(np.int64)
        at = np.searchsorted(self._ids, ids)
        at[at == len(self._ids)] = 0
        member = self._ids[at] == ids
        self._seen[at[member]] = True
        self.counts["read"] += int(member.sum())
        return _only(frame, member), at[member]

    def _keep(self, frame: pd.DataFrame, fates: npt.NDArray[Any]) -> None:
        """Note the clients that aren't sent; those whose ledger row says so already are skipped."""
        aside = frame[fates != "send"]
        if aside.empty:
            return
        kind = fates[fates != "send"]
        reason = aside["reason"].to_numpy(object)
        exclusion = aside["exclusion"].fillna("excluded_address").to_numpy(object)
        reason = np.select(
            [kind == "pending", kind == "excluded", kind == "shared"],
            ["changed_while_read", exclusion, "shared_address"], reason,
        )  # fmt: skip
        is_rejected = kind == "rejected"
        noted = pd.DataFrame(
            {
                "client_id": aside["client_id"].to_numpy(np.int64),
                "state": np.where(kind == "shared", "excluded", kind),
                "email_hash": aside["email_hash"].to_numpy(np.int64),
                "row_hash": pd.array(
                    np.where(is_rejected, aside["row_hash"].to_numpy(np.int64), 0), "Int64"
                ),
                "field": np.where(is_rejected, aside["field"].to_numpy(object), None),
                "reason": reason,
            }
        )
        noted["row_hash"] = noted["row_hash"].mask(~is_rejected)
        for state, n in noted["state"].value_counts().items():
            self.counts[str(state)] += int(n)
        self.counts["newly_excluded"] += self._with_contact(noted[kind == "excluded"])
        self.counts["given_up"] += self._with_contact(noted[kind == "shared"], own=False)
        self._count_reasons(noted)
        self._fates.append(noted[~self._is_noted(noted)])

    def _count_reasons(self, noted: pd.DataFrame) -> None:
        rejected = noted[noted["state"] == "rejected"]
        why = zip(rejected["field"], rejected["reason"], strict=True)
        self._why["rejections"].update(f"{field}: {reason}" for field, reason in why)
        self._why["exclusions"].update(noted.loc[noted["state"] == "excluded", "reason"])

    def _with_contact(self, clients: pd.DataFrame, *, own: bool = True) -> int:
        """How many of the clients have a contact that the sync made; `own`=False: at another
        address than theirs."""
        at, found = self.known.find(clients["client_id"].to_numpy(np.int64))
        if len(self.known.client_id) == 0:
            return 0
        contact = self.known.contact_hash[at]
        elsewhere = contact != clients["email_hash"].to_numpy(np.int64)
        return int((found & (contact != 0) & (own | elsewhere)).sum())

    def _is_noted(self, noted: pd.DataFrame) -> Mask:
        if len(self.known.client_id) == 0:
            return np.zeros(len(noted), bool)
        at, found = self.known.find(noted["client_id"].to_numpy(np.int64))
        same = self.known.email_hash[at] == noted["email_hash"].to_numpy(np.int64)
        same &= self.known.row_hash[at] == noted["row_hash"].fillna(0).to_numpy(np.int64)
        state, fate = noted["state"], self.known.fate[at]
        rejected = (fate == Fate.REJECTED) & (state == "rejected").to_numpy(bool)
        excluded = self.known.excluded[at] & (state == "excluded").to_numpy(bool)
        excluded &= self.known.contact_hash[at] != self.known.email_hash[at]
        shared = (noted["reason"] == "shared_address").to_numpy(bool)
        excluded &= (fate == Fate.SHARED) == shared
        return np.asarray(found & same & (rejected | excluded), bool)

    def _compare(self, frame: pd.DataFrame, takes_over: Mask) -> pd.DataFrame:
        """Drop what SendGrid has confirmed already; work out what must be cleared in the rest."""
        known, mapping = self.known, self.mapping
        at, found = known.find(frame["client_id"].to_numpy(np.int64))
        row_hash = frame["row_hash"].to_numpy(np.int64)
        own, has_contact, same, confirmed, refused, filled = _ledger_view(
            known, at, found, frame["email_hash"].to_numpy(np.int64), row_hash
        )
        unchanged = confirmed & own & same & (not self._resend)
        refused_before = refused & same & (not self._retry_rejected)
        self.counts["unchanged"] += int(unchanged.sum())
        self.counts["rejected"] += int(refused_before.sum())
        self._why["rejections"]["refused by SendGrid, unchanged since"] += int(refused_before.sum())
        send = ~(unchanged | refused_before)
        self.counts["new"] += int((send & ~has_contact).sum())
        self.counts["address_changed"] += int((send & has_contact & ~own).sum())
        self.counts["changed"] += int((send & own & ~same).sum())
        self.counts["sent_again"] += int((send & own & same).sum())

        texts, others = mapping.mask(FieldType.TEXT), mapping.mask(FieldType.NUMBER, FieldType.DATE)
        before = np.where(takes_over, texts | others, np.where(own, filled, 0))
        now = frame["filled"].to_numpy(np.int64)
        emptied = before & ~now
        clears = emptied & texts
        stale = emptied & others
        self._count_stale(stale[send])
        self.counts["cleared"] += int((clears[send] != 0).sum())
        staged = frame.assign(
            filled=now | (before & ~texts),
            clears=clears,
            json_only=(clears != 0) | frame["negative"].to_numpy(bool),
            takes_over=takes_over,
            stale=stale,
        )
        return _only(staged, send)

    def _count_stale(self, stale: npt.NDArray[np.int64]) -> None:
        """SendGrid knows no way to clear a Number or Date field: say so, never silently."""
        for field in self.mapping.fields:
            self._why["stale"][field.name] += int(((stale >> field.bit) & 1).sum())

    def fates(self) -> pd.DataFrame:
        """The ledger rows to write for clients that aren't sent, absent ones included."""
        absent = self._ids[~self._seen]
        _, found = self.known.find(absent)
        self.counts["pending"] += int((~found).sum())
        vanished = pd.DataFrame(
            {
                "client_id": absent[~found],
                "state": "pending",
                "email_hash": self._email_hash[~self._seen][~found],
                "row_hash": pd.array([None] * int((~found).sum()), "Int64"),
                "field": None,
                "reason": "gone_while_read",
            }
        )
        frames = [f for f in (*self._fates, vanished) if not f.empty]
        return pd.concat(frames) if frames else vanished

    def report(self) -> dict[str, Any]:
        """Counts for the run's plan."""
        nested = {name: dict(+counter) for name, counter in self._why.items()}
        return {"counts": dict(self.counts), **nested}


def _only(frame: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    """The frame's rows; no copy if it is all of them."""
    return frame if rows.all() else frame[rows]


def _ledger_view(
    known: LedgerRows,
    at: npt.NDArray[np.int64],
    found: Mask,
    email_hash: npt.NDArray[np.int64],
    row_hash: npt.NDArray[np.int64],
) -> tuple[Any, ...]:
    if len(known.client_id) == 0:
        no = np.zeros(len(at), bool)
        return no, no, no, no, no, np.zeros(len(at), np.int64)
    contact = known.contact_hash[at]
    return (
        found & (contact == email_hash),
        found & (contact != 0),
        found & (known.row_hash[at] == row_hash),
        found & (known.fate[at] == Fate.CONFIRMED),
        found & (known.fate[at] == Fate.REJECTED),
        known.filled[at],
    )
