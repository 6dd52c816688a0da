"""A definition's policies as questions with their answers, for the form of a sync.

Key of the definition → the question, and what each value means; "" = the value null.
"""

from __future__ import annotations

DELETE, UNLIST, KEEP = (
    "delete the contact",
    "take it off the list; the contact stays",
    "leave it as it is",
)
_REMOVAL = {"delete": DELETE, "unlist": UNLIST, "keep": KEEP}
_OR_LIST = {"": "take it off the list if the sync has one, else leave it as it is", **_REMOVAL}
POLICIES: dict[str, tuple[str, dict[str, str]]] = {
    "on_address_change": (
        "A client has another address: what becomes of the contact with the former one?", _REMOVAL),
    "on_address_lost": (
        "A client's address has become empty or invalid: what becomes of its contact?",
        {"": "as for another address", **_REMOVAL}),
    "on_client_deleted": (
        "Two runs in a row didn't find a client in B2CORE: what becomes of its contact?", _OR_LIST),
    "on_exclusion": (
        "B2CORE says that a client must not be sent: what becomes of its contact?", _OR_LIST),
    "on_list_change": (
        "The definition names another list: what becomes of contacts on the former one?",
        {"keep": "they stay on it, too", "unlist": "take them off it"}),
    "carry_suppressions": (
        "The former address is unsubscribed: does that hold for the new one?",
        {"true": "yes, from before it is sent", "false": "no"}),
    "suppress_excluded": (
        "B2CORE says that a client must not be sent: is its address unsubscribed at SendGrid, too?",
        {"false": "no",
         "true": "yes, from everything; only a person at SendGrid can take that back"}),
    "carry_belongings": (
        "A client has another address: do its other lists, and values of fields that no sync "
        "fills, go along?",
        {"true": "yes, and the former contact stays until they are seen there", "false": "no"}),
}  # fmt: skip
BAD_VALUE = {"drop": "leave it out, count it", "reject": "don't send the client"}
TOO_LONG = {"cut": "cut it, count it", "reject": "don't send the client"}
DETECTION = {
    "xmin": "by PostgreSQL's own marks (xmin): needs the tables, misses nothing",
    "updated_at": "by columns with the time of the change (updated_at): works on views, too",
}
ENABLED = {"true": "yes", "false": "no: no schedule, and every run refuses to send"}
