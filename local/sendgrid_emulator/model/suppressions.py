"""Who gets no mail, by lower-cased address: globally, and by unsubscribe group.

Contacts know nothing of it: deleting a contact lifts no suppression, and upserting one neither [K].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.sendgrid_emulator.model.refusal import Refusal


@dataclass(slots=True)
class Suppressions:
    """Addresses with the epoch second of their suppression."""

    everywhere: dict[str, int] = field(default_factory=dict)
    groups: dict[int, dict[str, int]] = field(default_factory=dict)

    def create_group(self) -> int:
        """Add an unsubscribe group and return its number."""
        number = len(self.groups) + 1
        self.groups[number] = {}
        return number

    def has_group(self, number: str) -> bool:
        """Return whether there is such a group."""
        return number.isdecimal() and int(number) in self.groups

    def group(self, number: str) -> dict[str, int]:
        """Return a group's addresses or answer 404."""
        if not self.has_group(number):
            raise Refusal(404, "group not found")
        return self.groups[int(number)]


def suppress(into: dict[str, int], emails: Iterable[str], created: float) -> None:
    """Add addresses; one that is there already keeps its time [I]."""
    for email in emails:
        into.setdefault(email.lower(), int(created))
