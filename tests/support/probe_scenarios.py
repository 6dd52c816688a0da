"""What can go wrong with probes and account profiles, and what is promised then."""

from __future__ import annotations

PROBING = {
    "Q01": "A probe's call fails or its answer is lost → nothing is concluded from that",
    "Q02": "Jobs fail, drop rows or never end; searches lag → an answer is unseen, never wrong",
    "Q03": "A probe is killed or stopped at any call → what it made goes, also what comes late",
    "Q04": "Two probes at once, or a probe's names are taken → nothing foreign is touched",
    "Q05": "A probe's notes are damaged, unwritable or another account's → said, nothing deleted",
    "Q06": "A key or account allows only a part → that is answered; the next start asks the rest",
    "Q07": "A profile is missing, damaged, older or another's → said; only what is proven counts",
    "Q08": "SendGrid does otherwise than the profile says → runs and verifications report it",
    "Q09": "Behaviours come together → each answer is right all the same",
}
"""As SCENARIOS."""
