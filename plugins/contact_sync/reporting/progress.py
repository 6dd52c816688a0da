"""How far a run that is at work has got, as a text and as numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contact_sync.base.vocabulary import RunState
from contact_sync.reporting.run_story import phase
from contact_sync.reporting.shown_run import ShownRun, SliceProgress


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run is at, and `done` of `total` clients or contacts; total 0 = not known yet."""

    text: str
    done: int = 0
    total: int = 0

    @property
    def line(self) -> str:
        """All of it, for a log or where there is no terminal."""
        return f"{self.text} ({self.done:,} of {self.total:,})" if self.total else self.text


def progress(run: ShownRun, slices: SliceProgress) -> Progress:
    """Reading counts clients, sending counts contacts whose fate is known."""
    title = f"Run {run.id:,}, {run.kind}{', dry run' if run.dry_run else ''}"
    if run.state != RunState.RUNNING:
        return Progress(f"{title}: {run.state}")
    if run.plan is None:
        what = "reads B2CORE" if slices.slices else phase(run, slices, run.sending)
        return Progress(f"{title}: {what}", slices.read, slices.clients)
    sent = run.sending
    known = sent.to_send - sent.under_way - sent.waiting
    return Progress(f"{title}: {phase(run, slices, sent)}", known, sent.to_send)
