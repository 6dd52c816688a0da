"""A sync definition: what one YAML file in `include/syncs/` may say. Pure: no file, no clock.

`definition_files` reads the files; `mapping` joins a definition with the SendGrid account's
fields. The JSON Schema for editors comes from `json_schema()`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from contact_sync.base.errors import ConfigError
from contact_sync.base.vocabulary import MAX_MAPPED_FIELDS
from contact_sync.config.alerts import Alerts
from contact_sync.config.strict import ConnectionId, Strict

REQUIRED_FIELDS = {"email": "email", "first_name": "first_name", "last_name": "last_name"}
"""SendGrid field → column; always mapped, as in B2CORE's own connection."""

Column = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class ChangeDetection(StrEnum):
    """How an incremental run finds changed clients."""

    XMIN = "xmin"
    UPDATED_AT = "updated_at"


class LaneChoice(StrEnum):
    """Which of SendGrid's two bulk endpoints to use."""

    AUTO = "auto"
    JSON = "json"
    CSV = "csv"


class _Loader(yaml.SafeLoader):
    """YAML's plain types; a key that stands there twice is a mistake, not "the last one wins"."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node whose keys are all different."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value!r} stands there twice", problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


class Connections(Strict):
    """Airflow connection ids. Secrets live in the connections, never here."""

    b2core: ConnectionId = Field("b2core_default", description="B2CORE's database, read only.")
    sendgrid: ConnectionId = Field(
        "sendgrid_default", description="Host = API URL, password = key."
    )
    state: ConnectionId = Field("contact_sync_state", description="The sync's own state database.")


class Source(Strict):
    """How B2CORE is read."""

    sql: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = Field(
        "b2core", description="Folder in include/sql/ with the statements of the column contract."
    )
    change_detection: ChangeDetection = Field(
        ChangeDetection.XMIN,
        description="xmin needs SELECT on the tables and misses no commit; updated_at: views.",
    )
    overlap_minutes: int = Field(
        60,
        ge=1,
        le=10_080,
        description="updated_at only: must be longer than B2CORE's longest write transaction.",
    )
    statement_timeout_seconds: int = Field(
        600, ge=1, le=86_400, description="A statement that B2CORE takes longer for fails."
    )
    max_lag_minutes: int = Field(
        60,
        ge=0,
        le=10_080,
        description="A standby that is further behind its primary isn't read: the run fails.",
    )


class FieldMapping(Strict):
    """Where one SendGrid field's value comes from, and what happens to values that don't fit."""

    column: Column = Field(description="A column of the source contract (clients.sql).")
    on_bad_value: Literal["drop", "reject"] = Field(
        "drop",
        description="drop: send the client without this value and count it; reject the client.",
    )
    on_too_long: Literal["cut", "reject"] = Field(
        "cut", description="cut at SendGrid's limit between graphemes and count it, or reject."
    )


class Deadlines(Strict):
    """How long the sync waits for what it can't control."""

    job_hours: float = Field(
        2,
        gt=0,
        le=48,
        description="An import job that isn't over by then counts as unknown: its clients are sent "
        "again. So does an upload whose answer was lost; nothing newer is sent until then.",
    )
    quarantine_minutes: float = Field(
        30,
        ge=0,
        le=1_440,
        description="How long a request without an answer, other than an upload, may still take "
        "effect at SendGrid; nothing newer is sent meanwhile.",
    )


Removal = Literal["unlist", "delete", "keep"]


class Limit(Strict):
    """A number of clients: the larger of a count and a share of those in the ledger."""

    contacts: int = Field(50, ge=0, description="Never more careful than this many clients.")
    share: float = Field(0.05, ge=0, le=1, description="Share of all clients, 0.05 = 5 %.")

    def of(self, clients: int) -> int:
        """The limit for a sync of so many clients."""
        return max(self.contacts, int(self.share * clients))


class Limits(Strict):
    """Above these a run waits for a person's approval before it sends anything."""

    removals: Limit = Field(
        Limit(contacts=50, share=0.05),
        description="Contacts to be removed. Clients that are absent from B2CORE in larger numbers "
        "are not removed at all until a person approves their exact number.",
    )
    changes: Limit = Field(
        Limit(contacts=1_000, share=0.5),
        description="Contacts to be changed; new ones don't count, nor does mode resend.",
    )
    approval_hours: float = Field(
        24, gt=0, le=168, description="A plan that isn't approved by then is dropped."
    )


class SyncDefinition(Strict):
    """One sync: one B2CORE database, one SendGrid account, optionally one list, one DAG."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")] = Field(
        description="Unique; names the DAG (contact_sync_<name>) and the sync's state."
    )
    caption: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="What people see in Airflow."
    )
    enabled: bool = Field(True, description="false: no schedule, and every run refuses to send.")
    schedule: str | None = Field(
        None, description="Cron expression or preset such as @hourly; null = manual runs only."
    )
    connections: Connections = Connections()
    source: Source = Source()
    list: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="SendGrid list (by name) that every synced client is added to."
    )
    fields: dict[str, FieldMapping] = Field(
        default_factory=dict, description="SendGrid field name → column (or column with options)."
    )
    lane: LaneChoice = Field(LaneChoice.AUTO, description="auto = JSON for small runs, else CSV.")
    csv_from_contacts: int = Field(
        30_000,
        ge=1,
        le=1_000_000,
        description="lane auto: runs that send more than this use CSV import. SendGrid mails the "
        "account's admins after each CSV import.",
    )
    csv_batch_contacts: int = Field(
        250_000, ge=1, le=1_000_000, description="Contacts in one CSV file, at most."
    )
    slice_clients: int = Field(250_000, ge=1, le=1_000_000, description="Clients read per task.")
    full_every_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="An incremental run becomes a full one when the last is older.",
    )
    on_address_change: Removal = Field(
        "delete",
        description="The contact of a client's former address, once the new one is confirmed. A "
        "contact that another sync of the same state database holds is unlisted, never deleted.",
    )
    on_client_deleted: Removal | None = Field(
        None,
        description="The contact of a client that two runs in a row didn't find in B2CORE; "
        "null = unlist if the sync has a list, else keep.",
    )
    on_exclusion: Removal | None = Field(
        None,
        description="The contact of a client that B2CORE has newly excluded; null = unlist if the "
        "sync has a list, else keep.",
    )
    on_list_change: Literal["keep", "unlist"] = Field(
        "keep", description="Contacts on the former list when `list` names another one."
    )
    carry_suppressions: bool = Field(
        True,
        description="When an address changes and the old one is globally suppressed, suppress the "
        "new one before it is uploaded.",
    )
    deadlines: Deadlines = Deadlines()
    limits: Limits = Limits()
    alerts: Alerts = Alerts()

    @field_validator("fields", mode="before")
    @classmethod
    def _expand_fields(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        fields = {}
        for name, target in {**REQUIRED_FIELDS, **value}.items():
            if target is None:
                hint = " It can't be unmapped." if name in REQUIRED_FIELDS else " Delete the line."
                raise ValueError(f"field {name!r} has no column.{hint}")
            fields[name] = {"column": target} if isinstance(target, str) else target
        return fields

    @model_validator(mode="before")
    @classmethod
    def _required_fields_are_mapped(cls, data: Any) -> Any:
        return {**data, "fields": data.get("fields") or {}} if isinstance(data, dict) else data

    @field_validator("fields")
    @classmethod
    def _fields_fit(cls, value: dict[str, FieldMapping]) -> dict[str, FieldMapping]:
        if len(value) > MAX_MAPPED_FIELDS:
            raise ValueError(f"{len(value)} fields are mapped; {MAX_MAPPED_FIELDS} are possible")
        lowered = [name.lower() for name in value]
        doubled = sorted({name for name in lowered if lowered.count(name) > 1})
        if doubled:
            raise ValueError(f"SendGrid compares field names without case; twice: {doubled}")
        return value

    @model_validator(mode="after")
    def _unlist_needs_a_list(self) -> SyncDefinition:
        if self.list is None:
            for name in ("on_address_change", "on_client_deleted", "on_exclusion"):
                if getattr(self, name) == "unlist":
                    raise ValueError(f"{name}: unlist needs a `list`; say delete or keep")
        return self

    def removal_of(self, why: str) -> Removal:
        """What happens to a contact: `why` is address_changed, gone or excluded."""
        default: Removal = "unlist" if self.list else "keep"
        if why == "address_changed":
            return self.on_address_change
        return (self.on_client_deleted if why == "gone" else self.on_exclusion) or default

    @property
    def dag_id(self) -> str:
        """The id of this sync's DAG."""
        return f"contact_sync_{self.name}"


def parse_definition(text: str, file: str) -> SyncDefinition:
    """Parse one YAML document; `file` names it in errors.

    Raises ConfigError with one line per wrong key: file, key, what is wrong and how to mend it.
    """
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{file}:{where} is not YAML: {getattr(error, 'problem', 'unreadable')}"
        ) from None
    except (ValueError, RecursionError) as error:
        why = error if isinstance(error, ValueError) else "it is nested too deeply"
        raise ConfigError(f"{file}: a value can't be read ({why}): correct it") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: the file must hold keys such as name, caption and fields")
    try:
        return SyncDefinition.model_validate(data)
    except ValidationError as error:
        lines = [_problem(file, problem) for problem in error.errors(include_input=False)]
        raise ConfigError("\n".join(lines)) from None


def _problem(file: str, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(file)"
    mend = {
        "extra_forbidden": "unknown key; delete it or correct its spelling",
        "missing": "is missing; add it",
    }.get(problem["type"], problem["msg"])
    return f"{file}: {key}: {mend}. The keys are described in include/syncs/template.yaml.example"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a definition file, for editors."""
    schema = SyncDefinition.model_json_schema()
    target = schema["properties"]["fields"]["additionalProperties"]
    column = schema["$defs"]["FieldMapping"]["properties"]["column"]
    short = {"type": "string", "pattern": column["pattern"], "description": column["description"]}
    schema["properties"]["fields"]["additionalProperties"] = {"anyOf": [short, target]}
    schema["title"] = "B2CORE to SendGrid sync definition"
    return schema
