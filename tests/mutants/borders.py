"""Rules about what comes from other hosts and databases, and what is told of it."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import IO, Any

import psycopg
import tenacity
import urllib3
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util import parse_url

from contact_sync.base.errors import AuthError, ConfigError, FatalError
from contact_sync.sendgrid import errors_file
from tests.integration.people import test_privacy
from tests.integration.runs import test_untrusted_certificates
from tests.mutants.mutant import SENDGRID, STATE, Mutant, gives, nothing
from tests.unit.base import test_masking
from tests.unit.sendgrid import (
    test_allowed_hosts,
    test_errors_file,
    test_limits,
    test_transport,
    test_transport_privacy,
)

EVIL = "https://evil.example/"


def any_scheme(_checked: Any, url: str, *_: Any, **__: Any) -> Any:
    """Plain text will do."""
    return parse_url(url)


def any_domain(checked: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Every host passes for a storage of SendGrid's."""
    return checked(*args, **options)._replace(host="s3.amazonaws.com")


def follow(request: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Wherever an answer points to."""
    return request(*args, **options | {"allow_redirects": True})


def whole(copied: Callable[..., bool], answer: Any, file: IO[bytes], _max_bytes: int) -> bool:
    """However long it is."""
    return copied(answer, file, 1 << 40)


def any_size(_unpacked: Any, file: IO[bytes]) -> io.BufferedReader:
    """Only the ratio counts."""
    size = file.seek(0, os.SEEK_END)
    return opened(file, max(errors_file.FREE_BYTES, size * errors_file.MAX_RATIO))


def any_ratio(_unpacked: Any, file: IO[bytes]) -> io.BufferedReader:
    """Only the size counts."""
    return opened(file, errors_file.MAX_BYTES)


def opened(file: IO[bytes], most: int) -> io.BufferedReader:
    """The file from its beginning, unpacked, as far as it may be read."""
    file.seek(0)
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    data = gzip.GzipFile(fileobj=file) if is_packed else file
    return io.BufferedReader(errors_file._Capped(data, most))


def no_deadline(_within: Any, _line: Any, _seconds: float) -> Any:
    """It takes as long as it takes."""
    return nullcontext()


def stubborn(_retrying: Any, _seconds: float, _tell: Any) -> tenacity.Retrying:
    """A refused key may be accepted the next time."""
    refused = tenacity.retry_if_exception_type(AuthError)
    return tenacity.Retrying(retry=refused, stop=tenacity.stop_after_attempt(3), reraise=True)


def tireless(
    retrying: Callable[..., tenacity.Retrying], seconds: float, tell: Any
) -> tenacity.Retrying:
    """Twice as often."""
    return retrying(seconds, tell).copy(stop=tenacity.stop_after_attempt(12))


def trusting(session: Callable[..., Any], line: Any) -> Any:
    """Whoever answers is SendGrid."""
    opened = session(line)
    opened.verify = False
    urllib3.disable_warnings(InsecureRequestWarning)
    return opened


@contextmanager
def with_its_text(_translated: Any) -> Iterator[None]:
    """What the driver says is passed on."""
    try:
        yield
    except psycopg.Error as error:
        raise ConfigError(str(error)) from None


def in_its_words(_our_error: Any, error: Any, what: str, _dsn: str | None) -> FatalError:
    """What the driver says is passed on."""
    return FatalError(f"{what}: {error}")


MUTANTS = [
    Mutant("Signed URLs are https", {f"{SENDGRID}.allowed_hosts._checked": any_scheme},
           test_allowed_hosts.test_H01_every_other_url_is_refused,
           {"url": f"http://{test_allowed_hosts.S3}/key"}),
    Mutant("Clients' data goes to SendGrid's storages only",
           {f"{SENDGRID}.allowed_hosts._checked": any_domain},
           test_allowed_hosts.test_H01_every_other_url_is_refused, {"url": EVIL}),
    Mutant("Names lead to public addresses only",
           {f"{SENDGRID}.allowed_hosts._is_public": gives(True)},
           test_allowed_hosts.test_H01_names_lead_to_public_addresses_only,
           {"address": "127.0.0.1"}),
    Mutant("The key goes to SendGrid only", {f"{SENDGRID}.transport.check_api_url": nothing},
           test_allowed_hosts.test_H01_the_key_goes_to_sendgrid_only, {"url": EVIL}),
    Mutant("No redirect is followed", {"requests.Session.request": follow},
           test_transport_privacy.test_H01_no_redirect_is_followed,
           {"call": test_transport_privacy.CALLS[0]}),
    Mutant("TLS is verified", {f"{SENDGRID}.transport.session_over": trusting},
           test_limits.test_H05_a_server_that_proves_nothing_gets_nothing),
    Mutant("Downloads are capped in size", {f"{SENDGRID}.transport.copied": whole},
           test_transport_privacy.test_H02_a_huge_errors_file_is_not_read_to_its_end),
    Mutant("Unpacked files are capped in size",
           {"contact_sync.sendgrid.errors_file._unpacked": any_size},
           test_errors_file.test_H02_a_zip_bomb_is_stopped),
    Mutant("Unpacked files are capped by ratio",
           {"contact_sync.sendgrid.errors_file._unpacked": any_ratio},
           test_errors_file.test_H02_a_file_that_grows_too_much_is_stopped),
    Mutant("Every call has a deadline", {f"{SENDGRID}.connection.Line.within": no_deadline},
           test_limits.test_H02_a_slow_drip_ends_at_the_deadline, {"where": "body"}),
    Mutant("Every retry has a cap", {f"{SENDGRID}.retries.retrying": tireless},
           test_transport.test_C06_C07_reads_are_repeated_and_bounded, {"status": 500}),
    Mutant("A refused key fails at once", {f"{SENDGRID}.retries.retrying": stubborn},
           test_transport.test_C06_C08_C09_each_answer_to_a_write_has_its_error,
           {"status": 401, "error": AuthError, "calls": 1}),
    Mutant("A rate limit's hint is heeded", {f"{SENDGRID}.answers._retry_after": gives(None)},
           test_transport.test_C07_rate_limits_say_when,
           {"headers": {"Retry_After": "17"}, "low": 17, "high": 17}),
    Mutant("Signed URLs are masked", {f"{SENDGRID}.transport.Transport.mask_url": nothing},
           test_masking.test_H03_signed_urls_are_masked_as_soon_as_they_are_known,
           {"answer": "upload_uri"}),
    Mutant("A certificate's fault is told", {"contact_sync.postgres.certificates._reason": nothing},
           test_untrusted_certificates.test_N10_each_fault_of_a_certificate_has_its_sentence),
    Mutant("The state database's errors are wrapped",
           {f"{STATE}.database.translated": with_its_text},
           test_privacy.test_H04_the_state_databases_errors_are_told_without_values,
           {"statement": test_privacy.REFUSED[0]}),
    Mutant("The source's errors are wrapped",
           {"contact_sync.postgres.arrow_reader._our_error": in_its_words},
           test_privacy.test_H04_the_sources_errors_are_told_without_values,
           {"statement": test_privacy.REFUSED[1]}),
]  # fmt: skip
