"""What a check found, as a table with its conclusion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contact_sync.base.findings import Finding, Judgement
from contact_sync.web.formats import count

TONES = {Judgement.OK: "good", Judgement.WARNING: "warn", Judgement.WRONG: "bad",
         Judgement.SKIPPED: "busy"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FindingsView:
    """The findings in their order."""

    findings: Sequence[Finding] = ()

    @property
    def conclusion(self) -> tuple[str, str]:
        """Tone and sentence of the whole check."""
        wrong, warnings = self._many(Judgement.WRONG), self._many(Judgement.WARNING)
        more = f", {count(warnings, 'warning')}" if warnings else ""
        if wrong:
            return "bad", f"{count(wrong, 'thing is', 'things are')} wrong{more}."
        return ("warn" if warnings else "good"), f"What was looked at is right{more}."

    @property
    def lines(self) -> list[tuple[str, Finding]]:
        """The findings with their tones."""
        return [(TONES[finding.judgement], finding) for finding in self.findings]

    def _many(self, judgement: Judgement) -> int:
        return sum(finding.judgement is judgement for finding in self.findings)
