"""What can go wrong where changes in B2CORE begin runs, and what is promised then."""

from __future__ import annotations

WATCHING = {
    "W01": "B2CORE changes, often or while a run is at work → runs begin in seconds, and few do",
    "W02": "Triggerer or database is away while B2CORE changes → a run begins once it is back",
    "W03": "Counts say nothing of changes → runs come by the clock or with NOTIFY; that is said",
    "W04": "A watched table is emptied or replaced → a run begins",
}
"""As SCENARIOS."""
