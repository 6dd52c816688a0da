"""Every switch of the emulator, with its meaning and why its default is what it is.

[K] the default copies known behaviour; [I] nobody outside SendGrid knows, so tests may turn it.
Times are in seconds. A reset puts all of them back to the values of the start.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from local.sendgrid_emulator.model.empty_values import EmptyValues


class Settings(EmptyValues):
    """The behaviour of one account; replaced as a whole, never changed in place."""

    # Time
    delay: float = Field(
        0.2, ge=0, description="from acceptance to effect; really about 30 [K recordings]"
    )
    finish_delay: float = Field(
        0.1,
        ge=0,
        description="from effect to the terminal status; the counts show meanwhile, "
        "still `pending` [K recording 2026]",
    )
    field_delay: float = Field(
        5.0, ge=0, description="until a new custom field can be used [K StrongGrid waits 5]"
    )
    count_lag: float = Field(
        0.0, ge=0, description="how far counts lag behind the contacts; they do lag [K]"
    )

    search_lag: float = Field(
        0.0,
        ge=0,
        description="how far search/emails lags behind the contacts, from its setting on; "
        "it does, some 30 [K]",
    )

    # JSON upsert
    max_json_bytes: int = Field(
        4_194_304,
        description="[K] the gRPC limit met in production; 6 MB (6_000_000) is documented",
    )
    too_large: Literal["400", "413", "413 page"] = Field(
        "400", description="[I] how a request over max_json_bytes is refused; the page is nginx's"
    )
    max_json_contacts: int = Field(30_000, description="[K API description]")
    email_error_field: Literal["email", "identifier"] = Field(
        "email", description="contacts[i].email [K recording 2021] or .identifier [K newer]"
    )
    unknown_list_status: Literal[400, 404] = Field(404, description="[I] for PUT contacts")
    unknown_keys: Literal["refuse", "ignore"] = Field(
        "refuse", description="[I] keys of a request body that SendGrid does not describe"
    )
    deprecated_fields: Literal["store", "refuse", "ignore"] = Field(
        "store",
        description="[I] whatsapp, line, facebook and unique_name in a request: they come back in "
        "answers, the API description has none of them in requests",
    )
    own_alternate: Literal["store", "leave out", "error"] = Field(
        "store",
        description="[I] an alternate address that is the contact's own: stored, left out, or an "
        "error of its row",
    )

    reported_errors: int = Field(
        1000, ge=1, description="[I] how many of the errors of a call its answer names, at most"
    )
    refused_calls: list[str] = Field(
        default_factory=list,
        description="[I] lower-cased addresses with one of which a call is refused, nobody named",
    )
    refused_calls_as: Literal["field empty", "field null", "no errors", "text", "422", "413"] = (
        Field(
            "field empty",
            description='[I] how: 400 with the field "" [K csharp#1021] or null, without errors, '
            "as plain text; or with another status",
        )
    )
    refused_calls_say: str = Field("invalid input", description="[K csharp#1021] in which words")
    refused_contacts: dict[str, str] = Field(
        default_factory=dict,
        description="[I] lower-cased addresses whose call is refused, with the message; {email} in "
        "it stands for the address",
    )
    refused_values: dict[str, list[str]] = Field(
        default_factory=dict,
        description="[I] by a field's name: values, as text, that are refused; * is any",
    )
    refused_values_by: Literal["call", "row"] = Field(
        "row", description="[I] whether such a value refuses its call, or is an error of its row"
    )
    refused_values_say: str = Field(
        "{name} '{value}' is not valid",
        description="[I] in which words; {name}, {id}, {value} and {email} are put in",
    )
    error_places: Literal["true", "first", "next"] = Field(
        "true",
        description="which N an error's contacts[N] has: the contact's, always 0 as in a test of "
        "Twilio's own connector [K SEG], or one more",
    )

    # Rows
    lengths: Literal["fields", "segmentation"] = Field(
        "fields",
        description="[I] which page is right: Reserved fields (country 50), or the segmentation "
        "reference (country 55, postal code 60, phone number 24, whatsapp 254)",
    )
    shared_phones: Literal["accept", "refuse"] = Field(
        "accept",
        description="[I] whether two contacts may have one phone_number: Twilio's table of fields "
        "says it must be unique; `refuse` makes it an error of the row",
    )
    identifiers: Literal["error", "ignore", "refuse"] = Field(
        "error",
        description="[I] a row that omits an identifier which its contact has; the API description "
        "says all must be present, not what happens otherwise; `refuse`: the JSON call",
    )
    contact_limit: int | None = Field(
        None, ge=0, description="the plan's limit; a job that passes it fails [K go#413]"
    )

    refused_emails: dict[str, str] = Field(
        default_factory=dict,
        description="lower-cased addresses that are row errors although valid, with the reason [I]",
    )
    poison_emails: list[str] = Field(
        default_factory=list,
        description="[I] lower-cased addresses with one of which a job fails as a whole, "
        "before any effect",
    )

    # Taking contacts off a list
    list_removal_jobs: Literal["served", "unknown"] = Field(
        "served",
        description="[I] whether GET imports/{id} knows these jobs: the API description names only "
        "import, upsert and deletion; `unknown` answers 404",
    )
    list_removal_effect: Literal["removes", "nothing"] = Field(
        "removes",
        description="`nothing`: 202, the job says `completed`, and the contacts stay on the list "
        "[K nodejs#1170]; for once, there is the job fault `no_effect`",
    )

    identifier_removal_jobs: Literal["served", "unknown"] = Field(
        "served", description="[I] the same of the jobs that take an identifier from a contact"
    )
    many_ids: Literal["refuse", "accept"] = Field(
        "refuse", description="[I] more than 100 contact_ids, which is what Segment sends at most"
    )
    no_ids: Literal["refuse", "accept"] = Field(
        "refuse", description="[I] empty contact_ids: accepted, the job has nothing to do"
    )

    # CSV
    max_import_contacts: int = Field(
        1_000_000, description="[K API description]; then it fails [I]"
    )
    max_upload_bytes: int = Field(5_000_000_000, description="[K API description: 5 GB]")
    too_large_upload: Literal["400", "413"] = Field(
        "400", description="S3 says 400 EntityTooLarge [A]; a proxy before it 413"
    )
    duplicates: Literal["last", "first"] = Field(
        "last", description="[I] which row of an identifier counts; they are removed [K]"
    )
    csv_dates: Literal["us_and_iso", "us"] = Field(
        "us_and_iso",
        description="`us` is what Formatting a CSV documents; ISO is used in production too",
    )
    csv_numbers: Literal["docs", "any"] = Field(
        "docs", description="`docs` refuses negatives and 3 decimals, as Formatting a CSV says"
    )
    csv_negatives: Literal["as numbers", "accept", "refuse"] = Field(
        "as numbers", description="[I] negatives in a CSV file, if not as csv_numbers says"
    )
    csv_decimals: Literal["as numbers", "accept", "refuse"] = Field(
        "as numbers", description="[I] 3 and more decimals there, if not as csv_numbers says"
    )
    ragged_rows: Literal["fail", "error"] = Field(
        "fail", description="[I] a row with another number of cells fails the job, or only itself"
    )
    second_upload: Literal["replace", "refuse", "process_twice"] = Field(
        "replace",
        description="[I] a second PUT to one upload_uri: replaces the file until the job took "
        "effect, or is refused, or takes an effect of its own, later and shown by no job",
    )
    upload_lifetime: float = Field(
        3600.0, ge=0, description="[I] validity of upload_uri; 0 makes it expired at once"
    )
    store_only: bool = Field(
        default=False,
        description="accept contacts and files as they are, and only count them; whoever is "
        "searched is there, on every list (benchmarks)",
    )

    # Answers
    rate_limit: int = Field(
        1_000_000, ge=0, description="calls a minute for a method and path template"
    )
    rate_limits: dict[str, int] = Field(
        default_factory=dict,
        description="exceptions by 'METHOD /template'; seen in 2021: 200 for PUT and DELETE "
        "contacts and for search, 600 for lists and fields [K]; imports unknown",
    )
    rate_buckets: Literal["template", "list", "path"] = Field(
        "template",
        description="[I] what shares a bucket: calls of one path template; or, as in 2021, those "
        "below different lists have one each, while deletions of lists share one [K recording "
        "2021, one pair of calls]; or every path has its own",
    )
    rate_limit_reset: Literal["delta", "epoch"] = Field(
        "delta", description="seconds left [K recording 2021], or epoch seconds as Rate limits says"
    )
    erase_suppressions: bool = Field(
        default=False, description="[I] whether an erase job lifts the addresses' suppressions"
    )
    retry_after: bool = Field(default=False, description="[I] not documented, so absent")
    search_404: Literal["errors", "result"] = Field(
        "errors", description="[I] body of a search that finds nobody"
    )
    segment_ids: Literal["array", "null"] = Field(
        "array",
        description="those of a contact that was looked up: the API description has an array, "
        "searches answered null in 2021 [K recording 2021]",
    )
    newest_segment_ids: Literal["null", "left out"] = Field(
        "null",
        description="the same in GET contacts: null [K recording 2026], or no such key, as in 2021",
    )
    extra_scopes: list[str] = Field(
        default_factory=list, description="scopes that every key has besides its own"
    )

    def refuses(self, name: str, value: object) -> bool:
        """Return whether a field's value is one to refuse."""
        refused = self.refused_values.get(name, ())
        return "*" in refused or str(value) in refused

    def words_about(self, name: str, field_id: str, value: object, email: str) -> str:
        """Return what is said of a refused value."""
        put_in = {"{name}": name, "{id}": field_id, "{value}": str(value), "{email}": email}
        says = self.refused_values_say
        for mark, text in put_in.items():
            says = says.replace(mark, text)
        return says

    def changed(self, changes: dict[str, object]) -> Settings:
        """Return a copy with some settings changed; raise ValueError on unknown or wrong ones."""
        return Settings.model_validate(self.model_dump() | changes)
