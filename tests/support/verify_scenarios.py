"""The failure scenarios of verification and repair; a part of scenarios.py."""

from __future__ import annotations

VERIFICATION = {
    "V01": "Both sides change all the time while they are compared → never called different",
    "V02": "An export fails, or can't be read whole → told with its cause, nothing is concluded",
    "V03": "A contact is deleted or taken off the list → found, and brought back by a repair",
    "V04": "Values are edited, cleared or typed in → found by field, and sent or emptied",
    "V05": "A verification is killed or stopped anywhere → the next one continues it",
    "V06": "Contacts are on the list without right → an alert of its own; off, by their policies",
    "V07": "Contacts that were never ours → counted, touched only for their exact number",
    "V08": "A repair is large, or a run is at work → the same limits; it waits for the lease",
    "V09": "A shadow → it compares, and never writes to SendGrid",
    "V10": "Whatever the damage → verify, repair, run: the second verdict is equal",
    "V11": "The ledger is lost or restored → filled from a verification; the rest alone is sent",
}
"""As SCENARIOS."""
