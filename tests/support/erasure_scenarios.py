"""The failure scenarios of erasures on request; a part of scenarios.py."""

from __future__ import annotations

ERASURE = {
    "E01": "A person is erased → gone from SendGrid and every table; nobody else is touched",
    "E02": "An erased client changes, moves or comes again → never sent, whatever the run",
    "E03": "A former address is another client's by now → left alone",
    "E04": "Two clients share an address → told; by the address both are meant",
    "E05": "Nobody knows the person, or not yet → a tombstone all the same",
    "E06": "SendGrid's search lags → nothing found proves nothing, until it can't lag any more",
    "E07": "A run, an upload or a verification is under way → kept out of it, finished after it",
    "E08": "SendGrid fails or refuses → not finished, degraded, late; the next run goes on",
    "E09": "Killed anywhere, asked for twice → the next run finishes it",
    "E10": "Another sync of the state database has the person → erased there, too",
    "E11": "The state database is restored or lost → no run sends before erasures are put back",
    "E12": "The key of the hashes is lost or another one → no run sends; a former key is enough",
    "E13": "The record of an erasure is changed → it shows",
    "E14": "A person lifts an erasure with a reason → sent again",
    "E15": "SendGrid goes on suppressing the address → that isn't kept here again",
    "E16": "The form in Airflow → for who may see addresses and start runs, from our own pages",
    "E17": "The hashes get a key, or another one → each is made anew, and everybody known again",
    "E18": "Whoever may read one sync → sees its erasures, and nothing of other syncs'",
}
"""As SCENARIOS."""
