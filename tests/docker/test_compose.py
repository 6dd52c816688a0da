"""docker-compose.yaml against what runs natively: `make cluster`, and the requirements.

No Docker is needed, nor is any used: what only an engine shows is not tested here.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from contact_sync.base.paths import INCLUDE
from docker import make_env
from local import b2core_demo, sendgrid_emulator
from local.airflow_stack.celery import CONCURRENCY, celery_environment
from local.airflow_stack.parts import MIGRATION, SERVERS, Part, celery_worker
from local.airflow_stack.settings import environment
from local.b2core_demo.__main__ import parser as b2core_demo_parser
from local.demo.cluster import WORKERS
from local.sendgrid_emulator.__main__ import arguments as emulator_parser
from local.stack.system import POOL, POOL_SLOTS
from local.stack.workers import PING
from tests.support.airflow_home import ROOT
from tests.support.compose import EXAMPLE, FILE, SERVICES, TEXT, VARIABLE

ENVIRONMENT: dict[str, str] = FILE["x-environment"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PINS = dict(
    re.findall(
        r"(?m)^([a-z0-9-]+)(?:\[.*?\])?==([^ ;\n]+)",
        (ROOT / "requirements-product.txt").read_text(encoding="utf-8"),
    )
)
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$|^AIRFLOW_CONN_|SQL_ALCHEMY_CONN|BROKER_URL")
COMPOSE_ONLY = {"--proxy-headers"}  # there is no proxy here
NATIVE_ONLY = {"--skip-serve-logs", "--celery-hostname", "--concurrency"}
AIRFLOW_SERVICES = [part.name for part in SERVERS] + list(WORKERS)

# Where the native run and production differ on purpose.
OTHER_VALUE = {
    "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER",  # in the image
    "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__API__BASE_URL", "AIRFLOW__API__PORT",
    "AIRFLOW__CELERY__BROKER_URL", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "PYTHONPATH",
    "AIRFLOW__CORE__PARALLELISM",  # more workers' slots
    # Tests don't wait as long for a killed worker.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT",
}  # fmt: skip
NATIVE_SETTINGS = {
    "AIRFLOW_HOME", "AIRFLOW__LOGGING__BASE_LOG_FOLDER",  # the image's own
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__API__HOST",  # here: this machine only
    # Made for a small machine and short tests.
    "AIRFLOW__API__WORKERS",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES", "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL",
}  # fmt: skip
UNLISTED = {"AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES"}  # Airflow reads it all the same
COMPOSE_SETTINGS = {
    "AIRFLOW__CORE__AUTH_MANAGER",  # people with passwords of their own
    "AIRFLOW__CELERY__WORKER_CONCURRENCY",  # here an argument of the worker
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",  # for the health check
}


def native_environment() -> dict[str, str]:
    """Every variable that `make cluster` sets for Airflow."""
    home = Path("/home")
    settings = environment(
        home=home, port=1, database="db", dags=home / "dags", plugins=home / "plugins"
    ) | celery_environment(broker="redis", slots=CONCURRENCY * len(WORKERS))
    return {k: v for k, v in settings.items() if k.startswith("AIRFLOW") or k == "PYTHONPATH"}


def words(service: str) -> list[str]:
    """A service's command as a list of words; of a shell script, all of its words."""
    command = SERVICES[service]["command"]
    if isinstance(command, str):
        return shlex.split(command)
    script = command[-1].replace("\\\n", " ").replace("$$", "$")
    return [*command[:-1], *shlex.split(script)] if command[0] in ("bash", "sh") else command


def after(service: str, *start: str) -> list[str]:
    """The words that follow `start` in a service's command, up to the line's end."""
    lines = SERVICES[service]["command"][-1].replace("\\\n", " ").splitlines()
    found = [shlex.split(line) for line in lines if shlex.join(start) in line]
    return found[0][found[0].index(start[-1]) + 1 :]


def test_every_service_runs_the_command_that_runs_natively() -> None:
    """The same parts of Airflow with the same arguments; only how they are named differs."""
    workers = [celery_worker(name, CONCURRENCY) for name in WORKERS]
    for part in (*SERVERS, *workers):
        found = [word for word in words(part.name) if word not in COMPOSE_ONLY]
        assert found == airflow_arguments(part), part.name
    assert [SERVICES[name]["hostname"] for name in WORKERS] == list(WORKERS)
    assert shlex.join(airflow_arguments(MIGRATION)) in SERVICES["init"]["command"][-1]
    assert "python -m contact_sync migrate" in SERVICES["init"]["command"][-1]
    assert after("init", "airflow", "pools", "set")[:2] == [POOL, str(POOL_SLOTS)]


def airflow_arguments(part: Part) -> list[str]:
    """What follows `airflow` in a part's command, without what is only for one machine."""
    given = list(part.command)[list(part.command).index("airflow") + 1 :]
    return [word for at, word in enumerate(given) if not NATIVE_ONLY & set(given[at - 1 : at + 1])]


def test_every_setting_is_the_one_that_runs_natively() -> None:
    """A setting that only one side has, or that differs, has to be named above with its reason."""
    native = native_environment()
    assert native.keys() - ENVIRONMENT.keys() == NATIVE_SETTINGS
    assert ENVIRONMENT.keys() - native.keys() == COMPOSE_SETTINGS
    different = {name for name in native.keys() & ENVIRONMENT if native[name] != ENVIRONMENT[name]}
    assert different == OTHER_VALUE
    slots = int(ENVIRONMENT["AIRFLOW__CELERY__WORKER_CONCURRENCY"]) * len(WORKERS)
    assert int(ENVIRONMENT["AIRFLOW__CORE__PARALLELISM"]) == slots


def test_every_setting_is_one_of_airflow() -> None:
    """A misspelt AIRFLOW__… variable would be ignored without a word."""
    from airflow.configuration import conf

    names = {name for service in SERVICES.values() for name in service.get("environment", {})}
    for name in {name for name in names if name.startswith("AIRFLOW__")}:
        section, option = name.removeprefix("AIRFLOW__").lower().split("__")
        assert option in conf.configuration_description[section]["options"] or name in UNLISTED


def test_only_who_speaks_to_b2core_and_sendgrid_has_their_secrets() -> None:
    """Workers have all connections; the triggerer polls SendGrid, and tells when no run succeeds;
    `init` makes tables; the API server shows pages of the state."""
    having = {
        name: {key for key in service.get("environment", {}) if key.startswith("AIRFLOW_CONN_")}
        for name, service in SERVICES.items()
    }
    b2core, sendgrid, state, key = (
        f"AIRFLOW_CONN_{name}"
        for name in (
            "B2CORE_DEFAULT",
            "SENDGRID_DEFAULT",
            "CONTACT_SYNC_STATE",
            "CONTACT_SYNC_HASH_KEY",
        )
    )
    assert {name: keys for name, keys in having.items() if keys} == {
        **{worker: {b2core, sendgrid, state, key} for worker in WORKERS},
        "triggerer": {b2core, sendgrid, state, key},
        "init": {state},
        "api-server": {state},
    }
    for name in AIRFLOW_SERVICES:
        assert SERVICES[name]["environment"].items() >= ENVIRONMENT.items(), name


def test_secrets_come_from_the_env_file_and_have_no_default() -> None:
    """A missing one ends `docker compose` with its name; none is written down anywhere."""
    used = VARIABLE.findall(TEXT)
    defaults = {name for name, mark, _ in used if mark != ":?"}
    assert defaults == {"BASE_URL", "API_BIND", "COOKIE_SECURE"}
    assert all(
        rest == "is missing in .env, see .env.example" for _, mark, rest in used if mark == ":?"
    )
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET.search(name) or VARIABLE.search(value), f"{name} is written down"
    listed = dict(re.findall(r"(?m)^([A-Z0-9_]+)=(.*)$", EXAMPLE))
    assert listed == dict.fromkeys({name for name, mark, _ in used if mark == ":?"}, "")
    assert all(f"# {name}=" in EXAMPLE for name in defaults)
    assert (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines().count(".env") == 1


@pytest.mark.parametrize("demo", [False, True])
def test_the_documented_command_fills_the_env_file(demo: bool) -> None:
    """Only the two connections of the outside world are left to be entered; secrets differ."""
    lines = make_env.filled(EXAMPLE, demo=demo).splitlines()
    values = dict(line.split("=", 1) for line in lines if re.match("[A-Z]", line))
    empty = {name for name, value in values.items() if not value}
    own = {"AIRFLOW_CONN_B2CORE_DEFAULT", "AIRFLOW_CONN_SENDGRID_DEFAULT"}
    assert empty == (set() if demo else own)
    filled = [value for name, value in values.items() if name not in own]
    assert len(set(filled)) == len(filled)
    assert (
        len(values["JWT_SECRET"]) >= 64
    )  # Airflow.md: shorter ones are warned of at every request
    assert all(re.fullmatch(r"[A-Za-z0-9.=_-]{24,}", value) for value in filled)


def test_what_is_mounted_exists_and_lies_as_the_package_expects() -> None:
    """`include/` beside `plugins/`; everything read-only, but the logs."""
    for name in AIRFLOW_SERVICES:
        binds = dict(v.split(":", 1) for v in SERVICES[name]["volumes"] if v.startswith("./"))
        home = "/opt/airflow"
        assert binds == {f"./{f}": f"{home}/{f}:ro" for f in ("dags", "plugins", "include")}
    for service in SERVICES.values():
        for source in (v.split(":")[0] for v in service.get("volumes", [])):
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            else:
                assert source in FILE["volumes"], source
    assert ROOT / "plugins" / ".." / "include" != INCLUDE
    assert (ROOT / "plugins" / ".." / "include").resolve() == INCLUDE
    assert ENVIRONMENT["AIRFLOW__CORE__PLUGINS_FOLDER"] == ENVIRONMENT["PYTHONPATH"]


def test_versions_are_those_of_the_requirements() -> None:
    """The image is the Airflow and Python that the tests run on."""
    airflow = PINS["apache-airflow"]
    python = re.search(r"--python-version (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert python is not None
    assert f"FROM apache/airflow:{airflow}-python{python[1]} AS airflow" in DOCKERFILE
    for name, service in SERVICES.items():
        image, tag = service["image"].split(":")
        assert tag == (airflow if image.startswith("contact-sync-") else tag), name
        assert tag != "latest"
        assert ("build" in service) == image.startswith("contact-sync-"), name
    for source in re.findall(r"(?m)^COPY (.+) \S+$", DOCKERFILE):
        assert all((ROOT / path).exists() for path in source.split())


def test_ports_and_paths_agree() -> None:
    """The published one, those of the health checks and of the URLs between services."""
    from airflow.configuration import conf

    port = ENVIRONMENT["AIRFLOW__API__PORT"]
    assert SERVICES["api-server"]["ports"] == [f"${{API_BIND:-127.0.0.1}}:{port}:{port}"]
    assert ENVIRONMENT["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == (
        f"http://api-server:{port}/execution/"
    )
    api = f"http://localhost:{port}/api/v2/monitor/health"
    assert SERVICES["api-server"]["healthcheck"]["test"][-1] == api
    assert "/api/v2/monitor/health" in (ROOT / "local/airflow_stack/api.py").read_text(
        encoding="utf-8"
    )
    scheduler = conf.get("scheduler", "scheduler_health_check_server_port")
    assert (
        SERVICES["scheduler"]["healthcheck"]["test"][-1] == f"http://localhost:{scheduler}/health"
    )
    for worker in WORKERS:
        assert SERVICES[worker]["healthcheck"]["test"][-1] == (
            f'{shlex.join(PING)} --destination "celery@$$HOSTNAME"'
        )


def test_no_service_runs_as_root() -> None:
    """Redis' image changes to its own user only for a command that begins with redis-server; that
    of PostgreSQL and Airflow's do as they are used here."""
    for name, service in SERVICES.items():
        image = service["image"].partition(":")[0]
        if image not in ("postgres", "contact-sync-airflow", "contact-sync-demo"):
            assert service.get("user") == image, name
        assert "user" not in service or service["user"] not in ("root", 0, "0"), name
    assert not re.search(r"(?m)^USER", DOCKERFILE)


def test_every_service_is_watched_and_comes_back() -> None:
    """Health check, restart, bounded memory and logs; whom a service waits for exists."""
    once = {name for name, service in SERVICES.items() if service["restart"] == "no"}
    assert once == {"init", "b2core-demo-clients", "sendgrid-demo-account"}
    for name, service in SERVICES.items():
        assert service["logging"]["options"]["max-size"], name
        assert set(service.get("depends_on", {})) <= SERVICES.keys(), name
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], other
            assert other not in once or how["condition"] == "service_completed_successfully"
        if name not in once and "demo" not in service.get("profiles", []):
            assert "healthcheck" in service, name
            assert service["restart"] == "unless-stopped", name
            assert service["deploy"]["resources"]["limits"]["memory"], name


def test_the_demo_profile_calls_what_exists() -> None:
    """Its commands' arguments are understood; the emulator is where the connection says."""
    options = emulator_parser().parse_args(
        after("sendgrid-emulator", "-m", "local.sendgrid_emulator")
    )
    assert f"http://127.0.0.1:{options.port}" == make_env.EMULATOR
    assert options.upload_url == f"http://127.0.0.1:{options.upload_port}"
    ports = [f"{p}:sendgrid-emulator:{p}" for p in (options.port, options.upload_port)]
    at = {f"sendgrid-at-{name}": name for name in (*WORKERS, "triggerer")}
    for forward, service in at.items():
        assert SERVICES[forward]["command"] == ["python", "-m", "docker.forward", *ports]
        assert SERVICES[forward]["network_mode"] == f"service:{service}"
    for command in SERVICES["b2core-demo-clients"]["command"][-1].splitlines():
        arguments = command.split("local.b2core_demo ")[1].split()
        b2core_demo_parser().parse_args(["--url", "postgresql://", *arguments])
    assert SERVICES["sendgrid-demo-account"]["command"][2] == "local.stack.account"
    assert b2core_demo.READER in make_env.DEMO_B2CORE
    assert Path(str(sendgrid_emulator.__file__)).is_relative_to(ROOT / "local")
    demo = {name for name, service in SERVICES.items() if service.get("profiles") == ["demo"]}
    assert demo == {"b2core-demo-db", "b2core-demo-clients", "sendgrid-emulator",
                    "sendgrid-demo-account", *at}  # fmt: skip
