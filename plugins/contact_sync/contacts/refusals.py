"""Contacts that SendGrid refused, as many as a job may name: about 40 bytes each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from contact_sync.base.vocabulary import Refused

BLOCK = 10_000  # rows
MOST_WORDINGS = 1_000
"""So many different refusals are kept; real reasons are few, and a further one is told without its
detail."""
SCHEMA = pa.schema([(name, pa.string()) for name in ("email", "field", "reason", "detail")])
"""The columns of the temporary table `refused`."""


class Refusals:
    """Refused contacts by address. An address may come twice, and needn't be anybody's."""

    def __init__(self, entries: Iterable[tuple[str, Refused]] = ()) -> None:
        """Take in `entries`, which are read once, block by block."""
        self._wordings: dict[Refused, int] = {}
        self._blocks: list[tuple[pa.Array, pa.Array]] = []
        self.add(entries)

    def add(self, entries: Iterable[tuple[str, Refused]]) -> None:
        """Take in some more."""
        emails, wordings = list[str](), list[int]()
        for email, refused in entries:
            emails.append(email)
            wordings.append(self._wording(refused))
            if len(emails) == BLOCK:
                self._keep(emails, wordings)
                emails, wordings = [], []
        if emails:
            self._keep(emails, wordings)

    def __len__(self) -> int:
        """How many entries there are."""
        return sum(len(emails) for emails, _ in self._blocks)

    def emails(self) -> Iterator[str]:
        """The addresses, one after the other."""
        for emails, _ in self._blocks:
            yield from emails.to_pylist()

    def record_batches(self) -> Iterator[pa.RecordBatch]:
        """All entries as rows of SCHEMA."""
        known = list(self._wordings)
        for emails, wordings in self._blocks:
            chosen = [known[n] for n in wordings.to_pylist()]
            yield pa.record_batch(
                [
                    emails,
                    pa.array([refused.field for refused in chosen]),
                    pa.array([str(refused.reason) for refused in chosen]),
                    pa.array([refused.detail for refused in chosen], pa.string()),
                ],
                SCHEMA,
            )

    def _wording(self, refused: Refused) -> int:
        if refused not in self._wordings and len(self._wordings) >= MOST_WORDINGS:
            refused = Refused(refused.reason)  # one of few
        return self._wordings.setdefault(refused, len(self._wordings))

    def _keep(self, emails: list[str], wordings: list[int]) -> None:
        self._blocks.append((pa.array(emails, pa.string()), pa.array(wordings, pa.int16())))
