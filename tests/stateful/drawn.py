"""What the steps of a history are drawn from: clients' values, fail points, faults."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.crashes import all_points

ADDRESSES = [f"{name}@example.com" for name in ("ana", "ben", "cleo", "dan")]
EMAILS = st.sampled_from([*ADDRESSES, *ADDRESSES, f" {ADDRESSES[0].upper()} ", "no address", None])
NAMES = st.sampled_from(["Ana", "Zoë", "", None, "=1+1", 'O\'Neil, "x"'])
PHONES = st.sampled_from(["+41790000001", "+41790000002", "", "no phone"])
CITIES = st.sampled_from(["Zürich", "Genève", "", None])
CAPTIONS = st.sampled_from(["Basic", "Gold", "Silver"])
SWITCHES = st.fixed_dictionaries(
    {},
    optional={
        "empty_cell": st.just("clear"), "list_removal_jobs": st.just("unknown"),
        "duplicates": st.just("first"), "second_upload": st.just("refuse"),
        "search_404": st.just("result"), "rate_limit_reset": st.just("epoch"),
        "retry_after": st.just(True), "count_lag": st.just(0.5), "unknown_keys": st.just("ignore"),
    },
)  # fmt: skip
"""What nobody outside SendGrid knows: the emulator does one or the other."""
LAGS = st.sampled_from([0.0, 0.0, 0.0, 0.3])
WHO = st.integers(0, 9)
POLICIES = st.sampled_from(["delete", "unlist"])
TYPED = st.sampled_from(
    [
        {"first_name": "Typed"}, {"city": "Paris"}, {"phone_number": "+33123456789"},
        {"first_name": "Typed", "city": "Paris", "country": "Chad"},
    ]
)  # fmt: skip
MODES = st.sampled_from(["incremental", "incremental", "full", "resend"])

POINTS = sorted(all_points())
STANDSTILLS = [
    # Not where a call has been announced: who sleeps there longer than the quarantine and calls
    # then can't be told from SendGrid being late (docs/failure-scenarios.md, "What is not
    # promised"). Not within a transaction either: it would hold its locks.
    p for p in POINTS if not p.endswith(("_uncommitted", "_announced"))
]  # fmt: skip

CONTACTS = "/v3/marketing/contacts"
ROUTES = st.sampled_from(
    [
        ("PUT", CONTACTS), ("PUT", f"{CONTACTS}/imports"), ("PUT", "/imports/{job_id}"),
        ("GET", f"{CONTACTS}/imports/{{job_id}}"), ("POST", f"{CONTACTS}/search/emails"),
        ("DELETE", CONTACTS), ("DELETE", "/v3/marketing/lists/{list_id}/contacts"),
        ("GET", "/v3/marketing/field_definitions"), ("*", "*"),
    ]
)  # fmt: skip
FAULTS = st.sampled_from(
    [
        {"status": 500, "when": "before"}, {"status": 503, "when": "after"},
        {"status": 502, "body": "<html>bad gateway</html>", "when": "after"}, {"status": 429},
        {"status": 429, "headers": {"retry-after": "1"}}, {"status": 400}, {"status": 404},
        {"status": 401}, {"status": 403}, {"reset": True, "when": "before"},
        {"reset": True, "when": "after"}, {"truncate": 7},
    ]
)  # fmt: skip
JOB_FAULTS = st.sampled_from(
    [
        {"kind": "fails_halfway"}, {"kind": "fails_halfway", "after_rows": 0},
        {"kind": "no_results"}, {"kind": "slow", "seconds": 0.3}, {"kind": "drops_rows"},
        {"kind": "short_counts"}, {"kind": "no_effect"},
        {"kind": "forgotten"}, {"kind": "forgotten_at_once"},
        {"kind": "unknown_status", "seconds": 0.3},
    ]
)  # fmt: skip
