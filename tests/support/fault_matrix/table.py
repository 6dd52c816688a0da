"""The fault matrix's calls and cells, as docs/fault-matrix.md lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support.airflow_home import ROOT

DOCUMENT = ROOT / "docs" / "fault-matrix.md"
CONTACTS = "/v3/marketing/contacts"
IMPORTS = f"{CONTACTS}/imports"
GLOBAL = "/v3/asm/suppressions/global"


@dataclass(frozen=True)
class Endpoint:
    """A call of the product, and what a world needs for it to happen."""

    method: str
    route: str
    lane: str = "json"
    former: bool = False  # a client has changed its address
    refused: bool = False  # SendGrid refuses a contact and gives an errors file
    unlists: bool = False  # the former contact is only taken off the list
    opted_out: bool = False  # the former address is unsubscribed
    calls: int = 1  # so many a run makes without a fault, unless it asks until a job is over
    bulk: bool = False  # many clients have changed their addresses
    asked: bool = False  # the definition asks who gets no mail
    grouped: bool = False  # the account has an unsubscribe group
    withdrawn: bool = False  # B2CORE has excluded a client, and SendGrid is to be told

    @property
    def is_loaded(self) -> bool:
        """Whether the clients have been sent before."""
        return self.former or self.withdrawn

    @property
    def told(self) -> str:
        """How messages name it."""
        return re.sub(r"\{(job|list)_id\}", "{id}", f"{self.method} {self.route}")


ENDPOINTS = {
    "GET scopes": Endpoint("GET", "/v3/scopes"),
    "GET lists": Endpoint("GET", "/v3/marketing/lists"),
    "GET field_definitions": Endpoint("GET", "/v3/marketing/field_definitions"),
    "PUT contacts": Endpoint("PUT", CONTACTS),
    "PUT imports": Endpoint("PUT", IMPORTS, lane="csv"),
    "PUT upload": Endpoint("PUT", "/imports/{job_id}", lane="csv"),
    "GET job": Endpoint("GET", f"{IMPORTS}/{{job_id}}"),
    "GET errors file": Endpoint("GET", "/errors/{job_id}/{name}", refused=True),
    "POST search": Endpoint("POST", f"{CONTACTS}/search/emails", former=True, calls=3),
    "DELETE contacts": Endpoint("DELETE", CONTACTS, former=True),
    "DELETE list": Endpoint(
        "DELETE", "/v3/marketing/lists/{list_id}/contacts", former=True, unlists=True
    ),
    "GET suppression": Endpoint("GET", f"{GLOBAL}/{{email}}", former=True),
    "POST suppressions": Endpoint("POST", GLOBAL, former=True, opted_out=True),
    "GET unsubscribes": Endpoint("GET", "/v3/suppression/unsubscribes", former=True, bulk=True),
    "GET suppressions of address": Endpoint(
        "GET", "/v3/asm/suppressions/{email}", former=True, grouped=True
    ),
    "GET unsubscribes, read": Endpoint("GET", "/v3/suppression/unsubscribes", asked=True),
    "GET group suppressions": Endpoint("GET", "/v3/asm/suppressions", asked=True, grouped=True),
    "GET spam_reports": Endpoint("GET", "/v3/suppression/spam_reports", asked=True),
    "GET invalid_emails": Endpoint("GET", "/v3/suppression/invalid_emails", asked=True),
    "GET bounces": Endpoint("GET", "/v3/suppression/bounces", asked=True),
    "GET blocks": Endpoint("GET", "/v3/suppression/blocks", asked=True),
    "POST suppressions, excluded": Endpoint("POST", GLOBAL, withdrawn=True),
}


@dataclass(frozen=True)
class Cell:
    """A cell of the table."""

    fault: str
    endpoint: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.fault}"


def table() -> list[Cell]:
    """The cells of the document, those left out included."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in lines if "|" in line]
    start = next(number for number, row in enumerate(rows) if row[0] == "Fault")
    names = rows[start][1:]
    return [
        Cell(row[0], name, outcome)
        for row in rows[start + 2 :]
        for name, outcome in zip(names, row[1:], strict=True)
    ]


LEFT_OUT = dict(re.findall(r"^- (\w): (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
CELLS = [cell for cell in table() if cell.outcome not in LEFT_OUT]
