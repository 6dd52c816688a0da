"""### Prove that a SendGrid account is equal to B2CORE's clients

**What it does.** Has SendGrid export every contact, reads every client of B2CORE, and compares each
field by meaning. What changes on either side meanwhile is looked at again before it is called
different. The result is a certificate: what was compared, when, and what isn't equal, by client.

It takes no lease: ordinary runs go on. Nothing is sent to SendGrid. What isn't equal is repaired by
the *next ordinary run*, if the definition says `verify: {repair: contacts}`, or *Repair* is ticked.

| task | what it does |
| --- | --- |
| begin_verification | begins one, or continues the one that is under way |
| order_export | has SendGrid write all its contacts into files |
| wait_for_export | waits for them, deferred: minutes to hours |
| load_b2core_side | meanwhile reads every client, as a run would send it: a hash of each |
| load_account_side | downloads the files, and keeps the contacts that aren't exactly so |
| compare | says of these what is wrong; looks again at them |
| finish_verification | writes the certificate, emits the asset, tells people |
| repair | tells the next run what to put right, if it is to |
| prune | deletes what is older than the definition's `retention`, beside all this |

**Safe to re-run?** Yes, always. **If it fails:** the first red task's log says why; a new run
continues the verification that is under way.
"""

from __future__ import annotations

# ruff: noqa: E402
from contact_sync.airflow_edge.installation import POOL, require_airflow  # isort: skip

require_airflow()  # an older one lacks something that is imported here

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from contact_sync.airflow_edge import verify_tasks
from contact_sync.airflow_edge.assets import verified_asset
from contact_sync.airflow_edge.notify import AlertNotifier
from contact_sync.airflow_edge.run_types import RUN_TYPES
from contact_sync.config.alerts import Event
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definitions


def make_dag(definition: SyncDefinition) -> DAG:
    """The DAG that verifies one sync."""
    name = definition.name
    told = {event: [AlertNotifier(name, event)] for event in definition.alerts.events}
    whole: dict[str, Any] = {"execution_timeout": definition.longest_run}
    with DAG(
        definition.verify_dag_id,
        dag_display_name=f"{definition.caption}: is SendGrid equal to B2CORE?",
        description=__doc__.splitlines()[0].strip("# ") if definition.enabled else "Disabled",
        doc_md=__doc__,
        schedule=definition.verify.schedule if definition.enabled else None,
        catchup=False,
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        params=params(),
        tags=["b2core", "sendgrid", "verify"],
        default_args={
            "retries": 3,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=15),
            "execution_timeout": definition.longest_step,
            "on_failure_callback": told.get(Event.VERIFY_FAILED),
        },
    ) as dag:
        begun: Any = task(task_id="begin_verification", pool=POOL, retries=12)(
            verify_tasks.begin_verification
        )(name)
        ordered = task(task_id="order_export", pool=POOL)(verify_tasks.order_export)(name, begun)
        written = verify_tasks.WaitForExportOperator(
            task_id="wait_for_export",
            sync_name=name,
            verification_id=begun,
            hours=definition.verify.export_hours,
            execution_timeout=timedelta(hours=definition.verify.export_hours + 1),
        )
        account = task(task_id="load_account_side", pool=POOL, **whole)(
            verify_tasks.load_account_side
        )(name, begun)
        b2core = task(task_id="load_b2core_side", **whole)(verify_tasks.load_b2core_side)(
            name, begun
        )
        compared = task(task_id="compare", pool=POOL, **whole)(verify_tasks.compare)(name, begun)
        finished = task(
            task_id="finish_verification",
            outlets=[verified_asset(name)],
            on_success_callback=[
                notifier
                for event in (Event.CONSENT_BREACH, Event.UNEQUAL)
                for notifier in told.get(event, [])
            ],
        )(verify_tasks.finish_verification)(name, begun)
        # A run that is at work may take hours; then the repair waits for it.
        repaired = task(
            task_id="repair", retries=40, retry_delay=timedelta(minutes=15),
            retry_exponential_backoff=False,
        )(verify_tasks.repair)(name, begun)  # fmt: skip
        task(task_id="prune")(verify_tasks.prune)(name)
        begun >> ordered >> [written, b2core] >> account >> compared >> finished >> repaired
    return dag


def params() -> dict[str, Param]:
    """The trigger form."""
    return {
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=200,
            title="Reason",
            description_md="Why you are starting this; kept with the certificate. No personal "
            "data, please.",
        ),
        "repair": Param(
            False,
            type="boolean",
            title="Repair",
            description_md="Have the next run put right what isn't equal, as if the definition "
            "said `repair: contacts`.",
        ),
        "rebuild": Param(
            False,
            type="boolean",
            title="Rebuild the ledger",
            section="Limits (dangerous)",
            description_md="Fill a ledger that is empty, or that a restore made doubtful: who is "
            "equal counts as confirmed, and isn't sent again.",
        ),
        "approve_foreign": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Take this many foreign contacts off the list",
            section="Limits (dangerous)",
            description_md="Exactly the number that the last verification counted. They were never "
            "this sync's. With any other number they stay.",
        ),
    }


for _definition in read_definitions().by_name.values():
    globals()[_definition.verify_dag_id] = make_dag(_definition)
