"""What happens where a wait could last for ever, or a sync for years, and what is promised then."""

from __future__ import annotations

LASTING = {
    "L01": "Years of runs and of contacts that are nobody's → runs, pages, status read no more",
    "L02": "A client has the address of a contact that was nobody's → what was kept for it ends",
    "L03": "Runs, batches, findings, hashes get old → they go, but nothing that is still needed",
    "L04": "Old things are deleted at any moment → what is sent afterwards is the same",
    "N01": "A database falls silent behind a proxy that lives → the wait ends, whatever it was for",
    "N02": "A lock on the ledger isn't released → waited for as long as the time-out says",
    "N03": "Every round trip is slow → a small run opens few connections",
    "N04": "A run doesn't come to its end → it ends red after `run_hours` and frees its lease",
    "N05": "The state database fails over → tried again; a wrong login is told at once",
    "N06": "Database or role set how texts are written → every session says so itself",
    "N07": "Runs are killed again and again → the next one cleans up what they left",
    "N08": "The state server's clock jumps → no wait gets longer than its own length",
    "N09": "A run can't write its end → the next one ends it, and both reports say so",
    "N10": "A pooler is before a database, or nobody is let in → all is as ever, or it says why",
}
"""As SCENARIOS."""
