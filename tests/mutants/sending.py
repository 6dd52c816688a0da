"""Rules about what is sent, and about how jobs end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contact_sync.base.errors import FateUnknown, RetryableError
from contact_sync.base.vocabulary import BatchState, Job, JobStatus, PendingReason, Refusal, Refused
from contact_sync.contacts.refusals import Refusals
from contact_sync.postgres.cursor import Cursor
from contact_sync.run.sending import ending, settle_upsert
from contact_sync.run.sending.judge import Do, Judgement
from contact_sync.run.sending.settle_upsert import Named
from contact_sync.state import batch_contacts, batches, confirming, settling
from contact_sync.state.batches import Batch
from contact_sync.state.runs import Run
from contact_sync.sync import Sync
from tests.integration.people import test_true_numbers
from tests.integration.runs import test_passed_over, test_two_tries
from tests.integration.sending import (
    test_doubt,
    test_failed_jobs,
    test_jobs,
    test_retries,
    test_unknown_fates,
    test_uploads,
)
from tests.mutants.mutant import RUN, SENDGRID, SENDING, STATE, Mutant, gives, nothing
from tests.unit.sendgrid import test_transport

UPLOADING = BatchState.UPLOADING


def never_on_demand(load: Callable[..., Run], *args: Any) -> Run:
    """The option is not looked at."""
    return replace(load(*args), retry_rejected=False)


def every_time(load: Callable[..., Run], *args: Any) -> Run:
    """As if somebody had asked for it."""
    return replace(load(*args), retry_rejected=True)


def announced_afterwards(
    _accepted: Any, cursor: Cursor, _run: Run, batch: Batch, job_id: str, *_: Any, **__: Any
) -> None:
    """All that is known of a call is stored when it has been answered."""
    cursor.execute(
        """UPDATE contact_sync.batch SET state = 'submitting', submitted_at = now(),
               fate_unknown_at = now() WHERE batch_id = %s""",
        (batch.batch_id,),
    )
    cursor.execute(
        """UPDATE contact_sync.batch SET state = 'submitted', job_id = %s, fate_unknown_at = NULL
           WHERE batch_id = %s""",
        (job_id, batch.batch_id),
    )


def upload_unannounced(
    uploaded: Callable[..., None], cursor: Cursor, run: Run, batch: Batch, job_id: str
) -> None:
    """An upload is stored when it is over."""
    cursor.execute(
        """UPDATE contact_sync.batch SET state = 'uploading', submitted_at = now(),
               fate_unknown_at = now() WHERE batch_id = %s""",
        (batch.batch_id,),
    )
    uploaded(cursor, run, batch, job_id)


def by_state_alone(_refused: Any, cursor: Cursor, _run: Run, batch: Batch, _announced: Any) -> bool:
    """Whatever another try of the task has stored."""
    cursor.execute(
        """UPDATE contact_sync.batch SET state = 'staged', submitted_at = NULL,
               fate_unknown_at = NULL WHERE batch_id = %s AND state = 'submitting'""",
        (batch.batch_id,),
    )
    return True


def without_doubt(postpone: Callable[..., None], *args: Any, **_: Any) -> None:
    """What SendGrid doesn't know can't take effect."""
    postpone(*args)


def errors_alone(judge: Callable[..., Judgement], job: Job, contacts: int, named: int) -> Judgement:
    """Whoever an errored job doesn't name was applied."""
    found = judge(job, contacts, named)
    if job.status is JobStatus.ERRORED and found.do is Do.READ_BACK:
        return Judgement(Do.CONFIRM)
    return found


def given_up(look: Callable[..., bool], sync: Sync, run: Run, batch_id: int) -> bool:
    """Without a look at its job."""
    batch = batches.load_batch(sync.state, batch_id)
    if batch.state is not UPLOADING:
        return look(sync, run, batch_id)
    ending.postpone(sync, run, batch, PendingReason.FATE_UNKNOWN)
    return True


def upload_again(upload: Callable[..., None], api: Any, target: Any, file: Any, size: int) -> None:
    """Into the same import."""
    try:
        upload(api, target, file, size)
    except FateUnknown:
        file.seek(0)
        upload(api, target, file, size)


def repeat_writes(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Like reads."""
    try:
        return call(*args, **options | {"repeatable": True})
    except RetryableError as error:
        raise FateUnknown(str(error)) from None


def any_word_ends(call: Callable[..., Any], transport: Any, method: str, *args: Any,
                  **options: Any) -> Any:  # fmt: skip
    """A status that nobody knows stands for success."""
    body = call(transport, method, *args, **options)
    if body.get("status") not in {*JobStatus, None}:
        body["status"] = "completed"
    return body


def unnamed_are_confirmed(
    judge: Callable[..., Judgement], job: Job, contacts: int, named: int
) -> Judgement:
    """Who isn't in the errors file was applied, whether or not the file is whole."""
    if job.status is JobStatus.ERRORED:
        return Judgement(Do.CONFIRM)
    return judge(job, contacts, named)


def nobody_is_refused(
    confirm: Callable[..., Any], cursor: Cursor, batch: int, _: Any, again: Any = ()
) -> Any:
    """Refused contacts are confirmed with the others."""
    return confirm(cursor, batch, Refusals(), again)


def confirmed_all_the_same(
    _fail: Any, sync: Sync, run: Run, batch: Batch, job: Job, _reason: str
) -> None:
    """As if the job had done its work."""
    settle_upsert._settle(sync, run, batch, job, Named())


def all_to_blame(_fail: Any, sync: Sync, run: Run, batch: Batch, job: Job, _reason: str) -> None:
    """Every contact of the batch is refused."""
    with sync.state.transaction() as cursor:
        contacts = batch_contacts.contact_sample(cursor, batch.batch_id, batch.contacts)
    emails = [contact.email for contact in contacts]
    to_blame = Refusals((email, Refused(Refusal.IMPORT_FAILED)) for email in emails)
    settle_upsert._settle(sync, run, batch, job, Named(rejected=to_blame))


def singles_to_blame(_excuse: Any, _sync: Sync, _family: Any, emails: dict[int, str]) -> set[str]:
    """Whatever became of the others."""
    return set(emails.values())


def doubt_is_success(
    postpone: Callable[..., int], cursor: Cursor, batch_id: int, reason: str, *, keep: bool = False
) -> int:
    """A job of unknown outcome confirms its contacts."""
    if keep:
        return postpone(cursor, batch_id, reason, keep=keep)
    settled = confirming.confirm(cursor, batch_id, Refusals())
    return settled.known + settled.new


def never_rejected(postpone: Callable[..., Any], *args: Any, **how: Any) -> Any:
    """Sent again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "ENOUGH_TRIES", 1_000)
        return postpone(*args, **how)


SLOW_UPLOAD = test_unknown_fates.test_O01_C02_a_run_that_is_stopped_while_it_sends_cannot_overwrite_newer_values  # noqa: E501
RETRIES = test_retries.test_D04_rejected_clients_are_retried_when_they_change_or_on_demand
LATE_JOB = test_jobs.test_D02_a_job_that_outlasts_the_run_is_followed_by_the_next
LOST_ANSWER = test_uploads.test_C04_an_upload_of_unknown_fate_is_not_repeated


def nobody_is_wrong(_not_applied: Any, *_: Any, **__: Any) -> set[str]:
    """Whatever SendGrid shows, it is as it was sent."""
    return set()


MUTANTS = [
    Mutant("Who is refused before there is a job is counted as rejected",
           {f"{STATE}.batches.count_taken_out": nothing},
           test_true_numbers.test_addresses_that_a_call_names_are_rejected_by_sendgrid),
    Mutant("Whom SendGrid rejected is tried again",
           {f"{STATE}.rejections.retry": gives(0)},
           test_retries.test_D04_whom_sendgrid_rejected_is_tried_again_ever_more_rarely),
    Mutant("What earlier runs left open is settled first",
           {f"{RUN}.in_one_process.settle_earlier_runs": nothing,
            f"{RUN}.plan_batches.refuse_unsettled": gives(None)}, LATE_JOB),
    Mutant("Nothing is planned before it is, whatever a person marks as done",
           {f"{RUN}.plan_batches.refuse_unsettled": nothing},
           test_passed_over.test_O01_nothing_is_sent_beside_what_an_earlier_run_has_under_way),
    Mutant("JSON: `submitting` is stored before the call",
           {f"{STATE}.batch_moves.announce": nothing,
            f"{STATE}.batch_moves.accepted": announced_afterwards},
           SLOW_UPLOAD, {"lane": "json"}),
    Mutant("CSV: `uploading` is stored before the first byte",
           {f"{STATE}.batch_moves.uploading": nothing,
            f"{STATE}.batch_moves.uploaded": upload_unannounced}, SLOW_UPLOAD, {"lane": "csv"}),
    Mutant("A call of unknown fate is quarantined",
           {f"{STATE}.batches.seconds_since_unknown": gives(None)},
           test_unknown_fates.test_O01_a_first_try_of_unknown_fate_cannot_overwrite_newer_values),
    Mutant("An upload of unknown fate is followed to its job's end",
           {f"{RUN}.send_batch.settle_batch": given_up}, LOST_ANSWER, {"fault": {"reset": True}}),
    Mutant("Never a second upload into one import",
           {f"{SENDGRID}.api.SendGridApi.upload": upload_again},
           LOST_ANSWER, {"fault": {"status": 503}}),
    Mutant("A write of unknown fate isn't repeated below the protocol",
           {f"{SENDGRID}.transport.Transport.call": repeat_writes},
           test_transport.test_C06_C08_C09_each_answer_to_a_write_has_its_error,
           {"status": 503, "error": FateUnknown, "calls": 1}),
    Mutant("A try of a task doesn't undo what another try has stored",
           {f"{STATE}.batch_moves.refused": by_state_alone},
           test_two_tries.test_O04_a_refusal_of_one_try_leaves_the_doubt_of_the_other),
    Mutant("Only a terminal status ends a job",
           {"contact_sync.base.vocabulary.JobStatus.is_terminal": gives(True)}, LATE_JOB),
    Mutant("An unknown status ends no job",
           {f"{SENDGRID}.transport.Transport.call": any_word_ends},
           test_transport.test_D01_D08_only_a_known_status_ends_a_job,
           {"body": {"status": "resting", "results": None}, "status": "pending", "counts": (0, 0)}),
    Mutant("A proxy's page doesn't say that a job is gone",
           {"contact_sync.base.errors.RequestRefused.is_missing": gives(True)},
           test_doubt.test_D12_a_proxys_page_says_nothing_about_a_job),
    Mutant("A job that SendGrid doesn't know may still take effect",
           {f"{SENDING}.poll_job.postpone": without_doubt},
           test_unknown_fates.test_D12_a_forgotten_job_may_still_take_effect),
    Mutant("Counts of an errored job have to add up, too",
           {f"{SENDING}.settle_upsert.judge": errors_alone},
           test_doubt.test_D04_D07_rows_that_an_errored_job_dropped_are_sent_again,
           {"lane": "json"}),
    Mutant("What is never applied is rejected in the end",
           {f"{STATE}.settling.postpone_not_applied": never_rejected},
           test_doubt.test_D07_a_contact_that_is_never_applied_is_rejected_in_the_end),
    Mutant("Counts that don't add up are read back",
           {f"{SENDING}.settle_upsert.not_applied": nobody_is_wrong},
           test_doubt.test_D07_rows_that_a_completed_job_dropped_are_sent_again,
           {"lane": "json"}),
    Mutant("Without a usable errors file contacts are read back",
           {f"{SENDING}.settle_upsert.judge": unnamed_are_confirmed},
           test_doubt.test_D05_without_a_usable_errors_file_contacts_are_read_back,
           {"lane": "json", "setting": {"errors_url": False}}),
    Mutant("Contacts that a job refused are rejected",
           {f"{STATE}.confirming.confirm": nobody_is_refused}, RETRIES),
    Mutant("Rejections keep SendGrid's reason",
           {f"{SENDING}.refused_contacts.plain": gives("refused")}, RETRIES),
    Mutant("Rejected clients are retried on demand",
           {f"{STATE}.runs.read_run": never_on_demand}, RETRIES),
    Mutant("Rejected clients are not retried for no reason",
           {f"{STATE}.runs.read_run": every_time}, RETRIES),
    Mutant("A failed job confirms nobody",
           {f"{SENDING}.settle_upsert._fail": confirmed_all_the_same},
           test_jobs.test_D06_a_job_that_fails_once_is_sent_again, {"lane": "json", "rows": 0}),
    Mutant("A failed batch is split until its bad rows are found",
           {f"{SENDING}.settle_upsert._fail": all_to_blame},
           test_failed_jobs.test_D06_bad_rows_are_found_and_the_others_confirmed,
           {"lane": "json", "bad": {1}}),
    Mutant("No contact is blamed for a cause that is none",
           {f"{SENDING}.split._without_excuse": singles_to_blame},
           test_failed_jobs.test_C11_a_cause_that_is_no_contact_rejects_nobody_and_stops_soon,
           {"lane": "json", "clients": 1}),
    Mutant("What stays unclear is pending, and sent again",
           {f"{STATE}.settling.postpone": doubt_is_success},
           test_jobs.test_D12_a_job_that_sendgrid_does_not_know_counts_as_unknown,
           {"lane": "json"}),
]  # fmt: skip
