"""docs/architecture.md: rooms, lives, retries and crashes on one page."""

from __future__ import annotations

from local.docs_generator.crash_points import crash_lines
from local.docs_generator.diagrams import address_lines, batch_lines, client_lines
from local.docs_generator.retries import retry_lines
from local.docs_generator.rooms import room_lines
from local.stack.directory import ROOT

DOCUMENT = ROOT / "docs" / "architecture.md"


def page() -> str:
    """The whole text; `AIRFLOW_HOME` must be set, because the DAGs' file is read."""
    return "\n".join(
        [
            "# Architecture",
            "",
            "Made by `make docs` from the tables in the code that it shows. Why things are as they "
            "are: [decisions](decisions.md). What can go wrong, and the test of each: "
            "[failure scenarios](failure-scenarios.md). Tables and columns: "
            "[reference](reference.md#tables-of-the-state-database).",
            "",
            "## Rooms",
            "",
            "Each folder of `plugins/contact_sync` is a room, each box below a layer. Imports go "
            "down only, and never across; `make test` checks it.",
            "",
            *room_lines(),
            "",
            "## The life of a batch",
            "",
            "A batch is the contacts of one request or one file. "
            "`plugins/contact_sync/base/batch_life.py` is the table, "
            "`state/batch_moves.py` the only code that moves a batch, by compare-and-set; the "
            "database refuses every other move. JSON and removals go by `submitting`, CSV goes by "
            "`created` and `uploading`: what is stored before a call tells, after a crash, whether "
            "it may have left. `send_batch` stands for `remove_excluded` and `remove_batch`, too: "
            "they are the same operator.",
            "",
            *batch_lines(),
            "",
            "## The life of a client",
            "",
            "The ledger has one row for each client that a run has looked at; its `state` is the "
            "client's fate (`base/client_life.py`). The database refuses a row that doesn't hold "
            "what its fate promises. *any* stands for each of the five fates. The one exception: a "
            "client whose address another client took over has no contact any more, whatever its "
            "fate, and looks moved to the next run. Reports count `shared` among the excluded, as "
            "`shared_address`.",
            "",
            *client_lines(),
            "",
            "## The life of an address",
            "",
            "An address that SendGrid may have to lose has a row in the table `removal` "
            "(`base/address_life.py`). It is removed when no client needs it, the plan is within "
            "the limits or approved, and the definition doesn't say `keep`.",
            "",
            *address_lines(),
            "",
            "## Who tries what again",
            "",
            "From the smallest loop to the largest. Nothing is tried for ever within a run, and "
            "nothing is given up between runs, except what is rejected.",
            "",
            *retry_lines(),
            "",
            "## What a crash leaves",
            "",
            "The code has a named point before and after everything that is stored or sent; "
            "`tests/integration/runs/test_crash.py` kills a process at each. *The task again* is "
            "Airflow's next try of it. On the command line, and when no tries are left, it is the "
            "next run: it settles what may have left, drops what has not, and looks at the clients "
            "again.",
            "",
            *crash_lines(),
            "",
        ]
    )
