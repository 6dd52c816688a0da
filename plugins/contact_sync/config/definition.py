"""A sync definition: what one YAML file in `include/syncs/` may say. It reads no file.

One file a block of keys beside this one; `parse` reads the text, `files` the folder, and
`contacts.mapping` joins a definition with the SendGrid account's fields.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from contact_sync.base.vocabulary import RemovalReason
from contact_sync.config.alerts import Alerts
from contact_sync.config.changes import Changes
from contact_sync.config.deadlines import Deadlines
from contact_sync.config.fields import Fields
from contact_sync.config.limits import Limits
from contact_sync.config.on_changes import OnChanges
from contact_sync.config.retention import Retention
from contact_sync.config.schedule import CHANGES, RunSchedule
from contact_sync.config.source import Source
from contact_sync.config.strict import ConnectionId, Shown, Strict
from contact_sync.config.suppressions import Suppressions
from contact_sync.config.tuning import Tuning
from contact_sync.config.verify import Foreign, Verify


class Connections(Strict):
    """Airflow connection ids. Secrets live in the connections, never here."""

    b2core: ConnectionId = Field("b2core_default", description="B2CORE's database, read only.")
    sendgrid: ConnectionId = Field(
        "sendgrid_default", description="Host = API URL, password = key."
    )
    state: ConnectionId = Field("contact_sync_state", description="The sync's own state database.")
    hash_key: ConnectionId = Field(
        "contact_sync_hash_key",
        description="Its password is the key of the hashes in the state database, the same for all "
        "syncs of it; needed as soon as somebody is erased, and for good once a run has used it.",
    )


RemovalPolicy = Literal["unlist", "delete", "keep"]
REMOVAL_KEYS = ("on_address_change", "on_address_lost", "on_client_deleted", "on_exclusion")


class SyncDefinition(Strict):
    """One sync: one B2CORE database, one SendGrid account, optionally one list, one DAG."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")] = Field(
        description="Unique; names the DAG (contact_sync_<name>) and the sync's state."
    )
    caption: Annotated[Shown, Field(min_length=1, max_length=100)] = Field(
        description="What people see in Airflow."
    )
    enabled: bool = Field(True, description="false: no schedule, and every run refuses to send.")
    shadow: bool = Field(
        False,
        description="true: nothing is ever written to SendGrid, and every run refuses to send; a "
        "verification compares what the sync would hold with what is there.",
    )
    schedule: RunSchedule | None = Field(
        None,
        description="Cron expression of five columns or a preset such as @hourly, in Airflow's "
        "`core.default_timezone` (UTC unless you changed it); changes = a run begins within "
        "seconds after B2CORE has changed, see `on_changes`; null = manual runs only.",
    )
    on_changes: OnChanges = OnChanges()
    connections: Connections = Connections()
    source: Source = Source()
    list: Annotated[Shown, Field(min_length=1, max_length=100)] | None = Field(
        None, description="SendGrid list (by name) that every synced client is added to."
    )
    fields: Fields = Field(
        default_factory=dict, description="SendGrid field name → column (or column with options)."
    )
    default_country: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}$")] | None = Field(
        None,
        description="Country (ISO 3166-1, two or three letters) of phone numbers without a country "
        "code, for clients whose `country_code` is empty; null = such numbers aren't sent.",
    )
    full_every_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="When the last full run is older than this, an incremental one becomes full.",
    )
    on_address_change: RemovalPolicy = Field(
        "delete",
        description="The contact of a client's former address, once the new one is confirmed. A "
        "contact that another sync of the same state database holds is unlisted, never deleted.",
    )
    on_address_lost: RemovalPolicy | None = Field(
        None,
        description="The contact of a client whose address in B2CORE has become empty or invalid; "
        "null = as `on_address_change`.",
    )
    on_client_deleted: RemovalPolicy | None = Field(
        None,
        description="The contact of a client that two runs in a row didn't find in B2CORE; "
        "null = unlist if the sync has a list, else keep.",
    )
    on_exclusion: RemovalPolicy | None = Field(
        None,
        description="The contact of a client that B2CORE has newly excluded; null = unlist if the "
        "sync has a list, else keep.",
    )
    on_list_change: Literal["keep", "unlist"] = Field(
        "keep",
        description="Contacts on the former list when `list` names another one. Those of clients "
        "that are excluded later leave it as `on_exclusion` says.",
    )
    carry_suppressions: bool = Field(
        True,
        description="When an address changes and the old one is suppressed, globally or in groups, "
        "suppress the new one before it is uploaded.",
    )
    suppress_excluded: bool = Field(
        False,
        description="When B2CORE excludes a client whose contact this sync has sent, unsubscribe "
        "the address from everything at SendGrid, before the contact leaves. No run lifts that: "
        "if the client agrees again, a person has to lift it at SendGrid.",
    )
    carry_belongings: bool = Field(
        True,
        description="When an address changes, memberships of other lists and values of fields that "
        "no sync fills go along to the new contact; the old one isn't removed before they are seen "
        "there. false: the new contact begins without them.",
    )
    suppressions: Suppressions | None = Field(
        None,
        description="With this block, `{}` for its defaults, each run reads who gets no mail from "
        "SendGrid, and why; null = they aren't read.",
    )
    account: ConnectionId | None = Field(
        None,
        description="Account profile `include/accounts/NAME.yaml`, made by `python -m contact_sync "
        "probe NAME`: runs rely on what it says of the SendGrid account; null = nothing is known, "
        "and every choice is the safe one.",
    )
    deadlines: Deadlines = Deadlines()
    limits: Limits = Limits()
    tuning: Tuning = Tuning()
    alerts: Alerts = Alerts()
    verify: Verify = Verify()
    retention: Retention = Retention()
    changes: Changes = Changes()

    @model_validator(mode="before")
    @classmethod
    def _required_fields_are_mapped(cls, data: Any) -> Any:
        return {**data, "fields": data.get("fields") or {}} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _unlist_needs_a_list(self) -> SyncDefinition:
        if self.list is None:
            for name in REMOVAL_KEYS:
                if getattr(self, name) == "unlist":
                    raise ValueError(f"{name}: unlist needs a `list`; say delete or keep")
            if self.verify.foreign is Foreign.UNLIST:
                raise ValueError("verify.foreign: unlist needs a `list`; say keep")
        return self

    @model_validator(mode="after")
    def _on_changes_needs_its_schedule(self) -> SyncDefinition:
        if self.schedule != CHANGES and self.on_changes != OnChanges():
            raise ValueError(
                f"on_changes: says something only with `schedule: {CHANGES}`; write that, or leave "
                f"it out"
            )
        return self

    @model_validator(mode="after")
    def _name_is_no_verification(self) -> SyncDefinition:
        if self.name.endswith("_verify"):
            raise ValueError(
                "name: ends in _verify, as the DAGs do that verify a sync; choose another name"
            )
        return self

    def removal_of(self, why: RemovalReason) -> RemovalPolicy:
        """What happens to a contact that has to go for this reason; not for list_changed."""
        default: RemovalPolicy = "unlist" if self.list else "keep"
        if why == RemovalReason.FOREIGN:  # noted only once a person has named the number
            return default
        if why == RemovalReason.ADDRESS_CHANGED:
            return self.on_address_change
        if why == RemovalReason.ADDRESS_LOST:
            return self.on_address_lost or self.on_address_change
        return (
            self.on_client_deleted if why == RemovalReason.GONE else self.on_exclusion
        ) or default

    @property
    def longest_run(self) -> timedelta:
        """What no run, and so no task that waits, takes longer than."""
        return timedelta(hours=self.deadlines.run_hours + self.limits.approval_hours)

    @property
    def longest_step(self) -> timedelta:
        """What no task takes longer than that doesn't wait: it has at most three statements of
        B2CORE's and, like all others, calls and statements that are limited each."""
        return timedelta(hours=2, seconds=3 * self.source.statement_timeout_seconds)

    @property
    def dag_id(self) -> str:
        """The id of this sync's DAG."""
        return f"contact_sync_{self.name}"

    @property
    def is_watched(self) -> bool:
        """Whether changes in B2CORE begin runs."""
        return self.sends and self.schedule == CHANGES

    @property
    def sends(self) -> bool:
        """Whether its runs may send anything."""
        return self.enabled and not self.shadow

    @property
    def verify_dag_id(self) -> str:
        """The id of the DAG that verifies this sync."""
        return f"{self.dag_id}_verify"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a definition file, for editors."""
    schema = SyncDefinition.model_json_schema()
    target = schema["properties"]["fields"]["additionalProperties"]
    column = schema["$defs"]["FieldMapping"]["properties"]["column"]
    short = {"type": "string", "pattern": column["pattern"], "description": column["description"]}
    schema["properties"]["fields"]["additionalProperties"] = {"anyOf": [short, target]}
    schema["title"] = "B2CORE to SendGrid sync definition"
    return schema
