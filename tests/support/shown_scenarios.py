"""The scenarios of what a person sees of a run; a part of scenarios.py."""

from __future__ import annotations

SHOWN = {
    "T01": "Somebody asks what a run changed → each client with fields, batch, SendGrid's answer",
    "T02": "Values before and after → encrypted or not kept, and for who may see them only",
    "T03": "A plan waits for a person → its page shows whom it changes, how, and what is asked",
    "T04": "Clients have something to do → one page has all of them, by reason",
    "T05": "A full run is about to be started → page and trigger form say about what it would send",
    "T06": "Somebody has a keyboard only, or may only look → Tab reaches all that is theirs",
    "T07": "There is one of a thing → log, pages and command line tell it in the singular",
}
"""As SCENARIOS."""
