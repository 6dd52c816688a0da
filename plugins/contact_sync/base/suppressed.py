"""What SendGrid says of an address that gets no mail, and what a run learnt of such addresses."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An address, lower case, that gets no mail: from which group (0 = of no group), and since when
    (epoch seconds; None = SendGrid doesn't say)."""

    email: str
    group: int
    since: int | None


@dataclass(frozen=True, slots=True)
class SuppressionNews:
    """How many suppressions a run found that are new, or were lifted at SendGrid, by kind."""

    come: dict[str, int] = field(default_factory=dict)
    lifted: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.come or self.lifted)
