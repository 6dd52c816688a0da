"""The other origin: takes uploads as S3 takes a pre-signed PUT, and serves error files [A].

Its errors are XML. It knows nothing of API keys; a request that carries one is refused, as S3
refuses two ways of signing, and a client that sends one leaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from xml.sax.saxutils import escape

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.sendgrid_emulator.gate.faults import Faults
from local.sendgrid_emulator.gate.recorder import Recorder, RouteTable
from local.sendgrid_emulator.jobs.export import served
from local.sendgrid_emulator.jobs.work import run_import
from local.sendgrid_emulator.model.account import (
    Account,
    Import,
    Service,
    Upload,
    account_of,
    is_by_test,
)
from local.sendgrid_emulator.model.jobs import Job
from local.sendgrid_emulator.model.signing import signed_at
from local.sendgrid_emulator.model.spool import Spool, pieces
from local.sendgrid_emulator.routes.errors_download import spoilt

MAX_LENGTH_DIGITS = 18


class S3Error(Exception):
    """An answer of S3 that says no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Refuse with a status, S3's error code and its message."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """Return the XML answer."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        return Response(body, self.status, media_type="application/xml")


def upload_app(service: Service) -> Recorder:
    """Return the application of the upload origin."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.service = service
    app.add_api_route("/imports/{job_id}", put_upload, methods=["PUT"])
    app.add_api_route("/errors/{job_id}/{name}", get_errors, methods=["GET"])
    app.add_api_route("/exports/{export_id}/{name}", get_export_file, methods=["GET"])
    app.add_exception_handler(S3Error, refuse_s3)
    app.add_exception_handler(404, no_such_key)
    app.add_exception_handler(405, wrong_method)
    return Recorder(Faults(app, service), service, "upload", RouteTable.of(app.routes))


async def refuse_s3(_: Request, error: Exception) -> Response:
    """Turn an S3Error into its answer."""
    if not isinstance(error, S3Error):
        raise error
    return error.response()


async def no_such_key(_: Request, __: Exception) -> Response:
    """Answer an unknown address."""
    return S3Error(404, "NoSuchKey", "The specified key does not exist.").response()


async def wrong_method(_: Request, __: Exception) -> Response:
    """Answer a method that the address does not have, such as POST for an upload."""
    message = "The specified method is not allowed against this resource."
    return S3Error(405, "MethodNotAllowed", message).response()


async def put_upload(request: Request, job_id: str) -> Response:
    """Take the file of an import; 200 with an empty body."""
    account = account_of(request)
    check_signature(request, account, account.settings.upload_lifetime)
    waiting = account.imports.get(job_id)
    if waiting is None:
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
    check_headers(request, waiting)
    check_length(request, account)
    if waiting.uploaded and account.settings.second_upload == "refuse":
        raise S3Error(403, "AccessDenied", "Access Denied")
    spool = Spool()
    async for chunk in request.stream():
        spool.write(chunk)
    spool.done()
    accept_upload(request, account, waiting, spool)
    return Response(status_code=200)


def check_signature(request: Request, account: Account, lifetime: float) -> None:
    """Refuse another signature beside ours, a wrong one, and an expired one."""
    if "authorization" in request.headers:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified"
        )
        raise S3Error(400, "InvalidArgument", message)
    signed = signed_at(request.url.path, request.query_params, account.secret)
    if signed is None:
        raise signature_mismatch()
    if account.clock.now() >= signed + lifetime:
        raise S3Error(403, "AccessDenied", "Request has expired")


def signature_mismatch() -> S3Error:
    """Return S3's answer to anything that differs from what was signed."""
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method."
    )
    return S3Error(403, "SignatureDoesNotMatch", message)


def check_headers(request: Request, waiting: Import) -> None:
    """Every upload header has to come as it was given, and no other x-amz header."""
    for name, value in waiting.headers.items():
        if request.headers.get(name) != value:
            raise signature_mismatch()
    unsigned = {name for name in request.headers if name.startswith("x-amz-")} - set(
        waiting.headers
    )
    if unsigned:
        message = "There were headers present in the request which were not signed"
        raise S3Error(403, "AccessDenied", message)


def check_length(request: Request, account: Account) -> None:
    """Refuse a body without a length, such as a chunked one, and one that is too long."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > MAX_LENGTH_DIGITS:
        message = "You must provide the Content-Length HTTP header."
        raise S3Error(411, "MissingContentLength", message)
    if int(length) > account.settings.max_upload_bytes:
        message = "Your proposed upload exceeds the maximum allowed size"
        raise S3Error(int(account.settings.too_large_upload), "EntityTooLarge", message)


def accept_upload(request: Request, account: Account, waiting: Import, spool: Spool) -> None:
    """Keep the file and queue its job, or replace the file of a job that waits [I]."""
    job = waiting.job
    first, waiting.uploaded = not waiting.uploaded, True
    account.upload_count += 1
    content_type = request.headers.get("content-type", "")
    upload = Upload(
        number=account.upload_count,
        job_id=job.id,
        received_at=account.clock.now(),
        headers=dict(request.headers),
        spool=spool,
        multipart=content_type.startswith("multipart/"),
        only_counted=account.settings.store_only,
    )
    account.sent.note_file(
        spool, waiting.mapping, job.id, account.suppressions, by_test=is_by_test(request)
    )
    account.remember_upload(upload)
    if not first and account.settings.second_upload == "process_twice":
        again = Import(Job("csv", job.accepted_at), waiting.mapping, waiting.list_ids, {}, upload)
        work = partial(run_import, account, again.job, again)
        account.queue.submit(again.job, account.settings.delay, work)
        return
    if not waiting.started:
        waiting.upload = upload
    if first:
        account.queue.submit(job, account.settings.delay, lambda: run_import(account, job, waiting))


async def get_errors(request: Request, job_id: str, name: str) -> Response:
    """Serve a job's errors file."""
    account = account_of(request)
    check_signature(request, account, account.settings.errors_lifetime)
    job = account.jobs.get(job_id)
    if job is None or job.errors is None or job.errors.name != name:
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
    if account.settings.errors_file == "missing":
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
    if account.settings.errors_file != "whole":
        return Response(spoilt(job.errors, account.settings), media_type=job.errors.media_type)
    return StreamingResponse(
        stream(job.errors.spool),
        media_type=job.errors.media_type,
        headers={"content-length": str(job.errors.spool.size)},
    )


async def get_export_file(request: Request, export_id: str, name: str) -> Response:
    """Serve a file of an export, whole or as the settings say."""
    account = account_of(request)
    check_signature(request, account, account.settings.export_lifetime)
    export, kind = account.exports.get(export_id), account.settings.export_file
    file = export.file_called(name) if export is not None else None
    if file is None or kind == "missing":
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
    length = {"content-length": str(file.size)} if kind == "whole" else {}
    return StreamingResponse(served(file, kind), media_type="application/gzip", headers=length)


def stream(spool: Spool) -> Iterator[bytes]:
    """Yield a file as it is."""
    with spool.open() as file:
        yield from pieces(file)
