"""What a person may ask of one run: Airflow's trigger form, and what it refuses.

Airflow checks each value by itself. Which values go together, and which exist at all, is checked
here: when the form or a REST call is sent (`trigger_check`), and again by the run's first task,
which also sees what comes by another way, such as Airflow's command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from contact_sync.airflow_edge.urls import full_run_picture, full_run_url, plan_url
from contact_sync.base.vocabulary import MAX_KEY, MAX_SAMPLE, RunKind

TRIAL, LIMITS = "Trial", "Limits (dangerous)"  # a section is closed until somebody opens it


def params(name: str = "") -> dict[str, Param]:
    """A DAG's form, one for each DAG: Airflow's `dag.test()` writes a run's values into it.

    `name`: the sync's, to show what it would send; "" = of no sync.
    """
    newest = f" [What the newest plan would send]({plan_url(name)})." if name else ""
    return {
        "mode": Param(
            str(RunKind.INCREMENTAL),
            enum=[str(kind) for kind in RunKind],
            title="Mode",
            description_md="**incremental**: clients that changed since the last run. **full**: "
            "every client is read, and what differs is sent; this is the backfill. **resend**: "
            "every contact is sent again, even what SendGrid has confirmed. That takes as long as "
            f"the first load and counts against SendGrid's limits.{_preview(name)}",
            values_display={
                "incremental": "incremental - what changed",
                "full": "full - read all, send what differs (backfill)",
                "resend": "resend - send every contact again",
            },
        ),
        "retry_rejected": Param(
            False,
            type="boolean",
            title="Retry rejected",
            description_md="Send rejected clients again even if nothing about them has changed, "
            "for example after a limit at SendGrid was raised. Mode *resend* does that anyway.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description_md="Read and compare, and say in the log what would be sent and removed. "
            f"Nothing is changed, neither here nor at SendGrid.{newest}",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=200,
            title="Reason",
            description_md="Why you are starting this run; kept with it. No personal data, please.",
        ),
        "clients": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "maxLength": MAX_KEY},
            maxItems=MAX_SAMPLE,
            title="Only these clients",
            section=TRIAL,
            description_md="Their keys in B2CORE, or their ids, one a line; no addresses, please. "
            "**Nobody else is looked at**, nobody is removed, and the next ordinary run reads "
            "every change as if there had been no trial. What becomes of each, and why: the "
            "client's look-up.",
        ),
        "sample": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=MAX_SAMPLE,
            title="Only so many clients",
            section=TRIAL,
            description_md="The same, for so many clients from all over B2CORE, the same ones each "
            "time.",
        ),
        "approve_removals": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Remove this many absent clients",
            section=LIMITS,
            description_md="Leave it empty unless a run reported that clients are absent from "
            "B2CORE and their contacts stay. With exactly their number, this run **takes their "
            "contacts off the list or deletes them**, as `on_client_deleted` says. With any other "
            "number they stay.",
        ),
        "approve_plan": Param(
            False,
            type="boolean",
            title="Don't ask",
            section=LIMITS,
            description_md="Send this run's plan **even if it changes or removes more contacts "
            "than the definition's `limits`**. Without it the run waits under *Required Actions* "
            "and shows the numbers first.",
        ),
    }


def _preview(name: str) -> str:
    """What a full run would send now: a picture, made when somebody opens the form. Airflow reads
    this text when it parses the DAG, where a look at a database would cost every parse."""
    if not name:
        return ""
    picture = f"![What a full run would send now]({full_run_picture(name)})"
    return f"\n\n{picture}\n\n[What a full run would send now, as text]({full_run_url(name)})"


NAMES = tuple(params())


def refusal(conf: Mapping[str, Any]) -> str | None:
    """Why a run can't be started with these values, and what to do; None = it can."""
    if unknown := sorted(set(conf) - set(NAMES)):
        return f"There is no {', '.join(map(repr, unknown))}; a run knows {', '.join(NAMES)}"
    if conf.get("retry_rejected") and conf.get("mode") == RunKind.RESEND:
        return (
            "Mode resend together with retry_rejected: resend sends the rejected clients again "
            "anyway. Choose one of the two"
        )
    for name in ("approve_removals", "approve_plan"):
        if conf.get("dry_run") and conf.get(name):
            return (
                f"dry_run together with {name}: a dry run changes nothing, so there is nothing to "
                f"approve. Start the dry run without it, or the real run without dry_run"
            )
    return _trial_refusal(conf)


def _trial_refusal(conf: Mapping[str, Any]) -> str | None:
    clients = conf.get("clients")
    if clients is not None and not named(clients):
        return "clients names nobody: write keys or ids, or leave it out to run for all clients"
    if clients and conf.get("sample"):
        return "clients together with sample: name the clients, or say how many. Choose one"
    if conf.get("approve_removals") and (clients or conf.get("sample")):
        return (
            "approve_removals together with clients or sample: a trial removes nobody. Start it "
            "without approve_removals, or the run for all clients"
        )
    return None


def named(clients: list[str] | None) -> list[str] | None:
    """Whom the lines of `clients` name; None = it is no trial of named clients."""
    return None if clients is None else [name for name in clients if name.strip()]
