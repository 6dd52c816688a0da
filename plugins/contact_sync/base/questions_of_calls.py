"""The questions about calls, jobs, files and limits."""

from __future__ import annotations

from contact_sync.base.account_question import Question

_YES_NO = {"yes": "yes", "no": "no"}
_SERVED = {"served": "it is known", "unknown": "404, as if there were no such job"}
_IDS = {"accepted": "the call is accepted", "refused": "the call is refused"}

CALLS = (
    Question(
        "write_scopes", "Does a key that lists Marketing's writing scopes need them?", "key",
        {"listed": "it lists them, and writes", "unlisted": "it lists none, and writes",
         "refused": "it may not write"},
        documented="no document maps scopes to these calls",
        assumed="`marketing.read` is needed; a lacking one shows at the first 403",
        observed="the key's scopes, and whether it may create a list",
    ),
    Question(
        "region", "Which host serves Marketing Campaigns' contacts for this account?", "key",
        {"global": "api.sendgrid.com", "eu": "api.eu.sendgrid.com", "local": "this machine"},
        documented="only the global one; two vendors use the EU's",
        assumed="the connection's host", observed="a call to the connection's host",
    ),
    Question(
        "unknown_list", "How is a JSON upsert for a list refused that doesn't exist?", "calls",
        {"404": "404", "400": "400"}, documented="404 is declared, without words",
        assumed="either means that the list is gone", observed="a list id that nobody has",
    ),
    Question(
        "bad_email_field", "Which field does the refusal of a bad address name?", "calls",
        {"email": "contacts[N].email", "identifier": "contacts[N].identifier"},
        documented="email in 2021, identifier in newer reports",
        assumed="either", observed="the second of two contacts has a bad address",
    ),
    Question(
        "bad_email_place", "Which N does that refusal name?", "calls",
        {"true": "the contact's place", "first": "always 0", "next": "one more"},
        documented="the place in 2021; always 0 in a connector's test of Twilio's own",
        assumed="the address in the words counts, not the place", observed="the same call",
    ),
    Question(
        "empty_search", "What is in the 404 of a search that finds nobody?", "calls",
        {"errors": "`errors`", "result": "`result`"}, documented="`errors`",
        assumed="either", observed="a search for an address that no contact has",
    ),
    Question(
        "segment_ids", "What are `segment_ids` of a contact that is in none?", "calls",
        {"array": "an empty list", "null": "null"},
        documented="a list; null in 2021", assumed="they aren't read",
        observed="a test contact is looked up",
    ),
    Question(
        "newest_segment_ids", "And in the list of the newest contacts?", "calls",
        {"null": "null", "left_out": "there is no such key"}, documented="null in 2026, none in "
        "2021", assumed="that list isn't read", observed="the newest contacts are listed",
    ),
    Question(
        "reset_form", "What does `x-ratelimit-reset` say?", "rates",
        {"delta": "seconds that are left", "epoch": "a moment in epoch seconds"},
        documented="epoch seconds; seconds left in 2021", assumed="either, told by its size",
        observed="the headers of a call",
    ),
    Question(
        "rate_buckets", "Which calls share a limit?", "rates",
        {"template": "all of one path template", "list": "those below one list",
         "path": "those of one path"},
        documented="per list in 2021, for one call", assumed="all of one path template",
        observed="the remaining calls after some for two lists",
    ),
    Question(
        "rate_limit", "How many calls a minute may count a list's contacts?", "rates",
        unit="calls", documented="600 for lists in 2021", assumed="what the headers say",
        observed="the headers of a call",
    ),
    Question(
        "retry_after", "Does a 429 have `Retry-After`?", "rates", _YES_NO,
        assumed="it is used where it is there",
        observed="as many harmless calls as it takes, 700 at most",
    ),
    Question(
        "json_limit", "How large may a JSON upsert be?", "size", unit="bytes",
        documented="6 MB; 4 MiB met in production", assumed="3,900,000 bytes are sent at most",
        observed="bisection with one test contact, again and again in one call; up to 6 MB, to "
        "64 kB",
    ),
    Question(
        "too_large", "How is one refused that is larger?", "size",
        {"400": "400", "413": "413", "413_page": "413, as a page"},
        assumed="each of them is split", observed="the same calls",
    ),
)  # fmt: skip

JOBS = (
    Question(
        "job_seconds", "How long does a JSON upsert of one contact take, to its end?", "jobs",
        unit="seconds", documented="some 30 to the effect, more than 60 to the status",
        assumed="the first look is after 10", observed="a job's status is polled",
    ),
    Question(
        "field_seconds", "How long until a new custom field can be used?", "fields",
        unit="seconds", documented="5, by a client's code", assumed="a run waits and tries again",
        observed="an upsert with it, again and again until it is taken",
    ),
    Question(
        "search_lag", "How long after a job's end is a change found by search?", "jobs",
        unit="seconds", documented="some 30", assumed="looks are repeated for some minutes",
        observed="a change is searched until it shows",
    ),
    Question(
        "count_lag", "How long after a job's end does a list's count show it?", "jobs",
        unit="seconds", documented="longer than searches", assumed="counts decide nothing",
        observed="a new contact's list is counted until it shows",
    ),
    Question(
        "list_removal_job", "Is the job of taking contacts off a list known?", "jobs", _SERVED,
        documented="only imports, upserts and deletions are named",
        assumed="the contacts are looked at", observed="its job is asked for",
    ),
    Question(
        "list_removal_effect", "Does it take them off?", "jobs",
        {"removes": "yes", "nothing": "no, although it is accepted"},
        documented="yes; no by a report (sendgrid-nodejs#1170)",
        assumed="the contacts are looked at", observed="the contact is looked at",
    ),
    Question(
        "identifier_removal_job", "Is the job of taking an identifier away known?", "jobs", _SERVED,
        assumed="no identifier is taken away", observed="its job is asked for",
    ),
    Question(
        "many_ids", "Are more than 100 ids taken when contacts leave a list?", "jobs", _IDS,
        documented="100 is what a vendor sends at most", assumed="100 at most are sent",
        observed="one test contact's id 101 times",
    ),
    Question(
        "no_ids", "And none?", "jobs", _IDS, assumed="none is never sent",
        observed="an empty `contact_ids` for the probe's own list",
    ),
)  # fmt: skip

FILES = (
    Question(
        "errors_file", "Has a job with wrong rows an errors file?", "csv",
        {"served": "yes", "none": "no address of one", "missing": "an address, and nothing there"},
        documented="an address is described, its file isn't",
        assumed="without one the rows are looked up", observed="the first CSV file has wrong rows",
    ),
    Question(
        "errors_layout", "What does it look like?", "csv",
        {"uploaded": "the file's own columns and one more", "short": "address and reason",
         "json": "JSON, a list", "json_lines": "JSON, an object a line"},
        assumed="any of them can be read", observed="its first lines",
    ),
    Question(
        "errors_separator", "What separates its columns?", "csv",
        {"comma": "a comma", "semicolon": "a semicolon", "tab": "a tab"},
        assumed="any of them", observed="its first line",
    ),
    Question(
        "errors_encoding", "How is it encoded?", "csv",
        {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with a mark", "utf-16": "UTF-16"},
        assumed="any of them", observed="its first bytes",
    ),
    Question(
        "errors_packed", "Is it gzipped?", "csv", _YES_NO, assumed="either",
        observed="its first bytes",
    ),
    Question(
        "errors_seconds", "How long is its address valid?", "csv", unit="seconds",
        assumed="it is fetched at once", observed="`X-Amz-Expires` in the address",
    ),
    Question(
        "export_packed", "Are exports gzipped?", "export", _YES_NO,
        documented="yes, by a client's code", assumed="either", observed="an export of the test "
        "contacts",
    ),
    Question(
        "export_json", "How is a JSON export written?", "export",
        {"lines": "an object a line", "array": "a list"}, documented="lines, by one report",
        assumed="either", observed="the same",
    ),
    Question(
        "export_lists", "Does it hold the contacts' lists?", "export", _YES_NO,
        documented="no, by one report", assumed="a list is compared by an export of its own",
        observed="the same",
    ),
    Question(
        "export_unset", "Does it hold what isn't set?", "export", _YES_NO,
        documented="no, by one report", assumed="either", observed="the same",
    ),
    Question(
        "export_dates", "In which form does it hold a Date?", "export",
        {"iso": "2021-02-11T00:00:00Z", "day": "2021-02-11", "us": "02/11/2021"},
        assumed="each can be read", observed="the same",
    ),
    Question(
        "export_numbers", "In which form does it hold a Number?", "export",
        {"number": "a number", "text": "a text"}, assumed="each can be read", observed="the same",
    ),
    Question(
        "export_links", "Does each look give a new address?", "export",
        {"once": "no", "each_look": "yes"}, assumed="either", observed="two looks",
    ),
    Question(
        "export_seconds", "How long is its address valid?", "export", unit="seconds",
        documented="12 hours", assumed="it is fetched at once",
        observed="`X-Amz-Expires` in the address",
    ),
)  # fmt: skip
