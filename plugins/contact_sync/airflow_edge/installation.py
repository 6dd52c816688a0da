"""Whether this Airflow can run a sync: its version, the pool, the triggerer."""

from __future__ import annotations

from collections.abc import Iterator

from airflow import __version__
from packaging.version import Version

from contact_sync.base.errors import ConfigError
from contact_sync.base.findings import Area, Finding, Judgement

OLDEST = "3.3"
POOL = "sendgrid"
SLOTS = 4
TRIGGERER = "TriggererJob"


def require_airflow() -> None:
    """Raise ConfigError in an Airflow that is too old, before it lacks something obscure."""
    if Version(__version__).release < Version(OLDEST).release:
        raise ConfigError(
            f"contact_sync needs Airflow {OLDEST} or newer, and this is {__version__}: upgrade it, "
            f"or take the DAG files away"
        )


def airflow_findings() -> Iterator[Finding]:
    """What is so about this Airflow; asks its database, where that can be reached from here."""
    from sqlalchemy.exc import SQLAlchemyError  # a second for a DAG file, which has no use for it

    yield Finding(Area.AIRFLOW, "version", Judgement.OK, __version__)
    yield Finding(Area.AIRFLOW, "time zone", Judgement.OK, f"schedules are read in {time_zone()}")
    try:
        yield from _stored()
    except SQLAlchemyError as error:
        yield Finding(
            Area.AIRFLOW, "database", Judgement.SKIPPED,
            f"it can't be asked for the pool and the triggerer from here ({type(error).__name__})",
            "set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN as for the scheduler",
        )  # fmt: skip


def time_zone() -> str:
    """The name of the time zone that schedules are read in: Airflow's `core.default_timezone`."""
    from airflow import settings

    return str(getattr(settings.TIMEZONE, "name", settings.TIMEZONE))


def make_pool() -> str:
    """Make the pool if there is none; returns what is so then, in words."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_session(scoped=False) as session:
            there = Pool.get_pool(POOL, session=session) is not None
        if there:
            return f"Airflow has the pool {POOL}"
        Pool.create_or_update_pool(POOL, SLOTS, "Calls to SendGrid", include_deferred=False)
    except SQLAlchemyError as error:
        return (
            f"Airflow's database can't be reached from here ({type(error).__name__}); where it "
            f'can, run: airflow pools set {POOL} {SLOTS} "Calls to SendGrid"'
        )
    return f"Airflow's pool {POOL} was made, with {SLOTS} slots"


def _stored() -> Iterator[Finding]:
    from airflow.jobs.job import Job, most_recent_job
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    with create_session(scoped=False) as session:
        pool = Pool.get_pool(POOL, session=session)
        job: Job | None = most_recent_job(TRIGGERER, session=session)
        alive = job is not None and job.is_alive()
    if pool is None:
        yield Finding(
            Area.AIRFLOW, "pool", Judgement.WRONG,
            f"there is no pool {POOL!r}: tasks that call SendGrid would wait for ever",
            f'airflow pools set {POOL} {SLOTS} "Calls to SendGrid"',
        )  # fmt: skip
    elif pool.slots == 0:
        yield Finding(
            Area.AIRFLOW, "pool", Judgement.WRONG,
            f"the pool {POOL!r} has 0 slots: tasks that call SendGrid would wait for ever",
            f'airflow pools set {POOL} {SLOTS} "Calls to SendGrid"',
        )  # fmt: skip
    else:
        yield Finding(Area.AIRFLOW, "pool", Judgement.OK, f"{POOL}, {pool.slots} slots")
    if alive:
        yield Finding(Area.AIRFLOW, "triggerer", Judgement.OK, "it is alive")
    else:
        yield Finding(
            Area.AIRFLOW, "triggerer", Judgement.WARNING,
            "no triggerer is alive: a task that waits for an import job would wait for ever",
            "airflow triggerer",
        )  # fmt: skip
