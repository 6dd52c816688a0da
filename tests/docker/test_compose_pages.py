"""The pages in the topology of docker-compose.yaml: `init` and the API server, run natively with
exactly their environments and commands, and people of FAB's roles.

Other than there: addresses of databases, the folder of the code, the port, and who may connect.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from playwright.sync_api import Page
from psycopg import sql

from contact_sync.base.paths import INCLUDE
from local.airflow_stack.settings import HOST
from local.postgres.server import Cluster, memory_folder, temporary_cluster
from local.stack.system import free_port
from tests.support.airflow_home import ROOT
from tests.support.compose import command, env_file, environment, of_the_image
from tests.support.rendered import Eyes

pytestmark = pytest.mark.airflow

START_SECONDS = 120.0
SYNC = "/contact-sync/syncs/demo"
BEHIND_TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
MISSING = "has no connection for that. Runs go on: their workers have connections of their own."
PASSWORD = "only-a-test"


class Visitor:
    """Somebody with a login, or without."""

    def __init__(self, url: str, name: str = "", password: str = "") -> None:
        self.url, self.password, self.session = url, password, requests.Session()
        self.token = ""
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # the server's end waits for open ones
        if name:
            body = {"username": name, "password": password}
            answer = self.session.post(f"{url}/auth/token", json=body, timeout=60)
            assert answer.status_code == 201, answer.text
            self.token = str(answer.json()["access_token"])
            self.session.headers["Authorization"] = f"Bearer {self.token}"

    def answer(
        self, path: str, data: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """What the server answers; with `data` to a form that is posted."""
        method = "GET" if data is None else "POST"
        return self.session.request(
            method, self.url + path, data=data, timeout=60, allow_redirects=False, **more
        )

    def get(self, path: str, status: int = 200) -> str:
        """A page with the white space of a text."""
        answer = self.answer(path)
        assert answer.status_code == status, answer.text[:2000]
        return " ".join(answer.text.split())


def databases(cluster: Cluster, values: dict[str, str]) -> None:
    """What the containers of both databases make at their first start."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE airflow LOGIN SUPERUSER PASSWORD {}").format(
                values["AIRFLOW_DB_PASSWORD"]
            )
        )
        connection.execute("CREATE DATABASE airflow OWNER airflow")
    url = cluster.create_database("contact_sync")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((INCLUDE / "sql" / "state" / "roles.sql").read_bytes())
        connection.execute(
            sql.SQL("ALTER ROLE contact_sync_state PASSWORD {}").format(values["STATE_DB_PASSWORD"])
        )


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The administrator that `init` made, at a running API server."""
    home, port = tmp_path_factory.mktemp("compose"), free_port()
    values = env_file() | {"BASE_URL": "https://airflow.example.com"}
    with temporary_cluster(memory_folder()) as cluster:
        databases(cluster, values)
        moved = {
            "@airflow-db:5432": f"@{HOST}:{cluster.port}",
            "@state-db:5432": f"@{HOST}:{cluster.port}",
            "/opt/airflow": str(ROOT),
        }
        here = of_the_image(home)
        subprocess.run(
            command("init", values), cwd=ROOT, check=True, timeout=240,
            env=here | environment("init", values, moved),
        )  # fmt: skip
        with (home / "api-server.log").open("wb") as log:
            server = subprocess.Popen(
                command("api-server", values), cwd=home, stdout=log, stderr=log,
                env=here | environment("api-server", values, moved)
                | {"AIRFLOW__API__PORT": str(port), "AIRFLOW__API__HOST": HOST},
            )  # fmt: skip
        try:
            url = f"http://{HOST}:{port}"
            wait_until_up(server, url, home / "api-server.log")
            yield Visitor(url, "admin", values["ADMIN_PASSWORD"])
        finally:
            server.terminate()
            server.wait(timeout=60)


def wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """As its health check does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if Visitor(url).session.get(f"{url}/api/v2/monitor/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.3)
    pytest.fail(f"The API server did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def person(admin: Visitor, role: str) -> Visitor:
    """Somebody with this role of FAB's alone."""
    name = f"a-{role.lower()}"
    body = {
        "username": name, "password": PASSWORD, "email": f"{name}@example.com",
        "first_name": "A", "last_name": role, "roles": [{"name": role}],
    }  # fmt: skip
    answer = admin.session.post(f"{admin.url}/auth/fab/v1/users", json=body, timeout=60)
    assert answer.ok, answer.text
    return Visitor(admin.url, name, PASSWORD)


def test_pages_of_the_state_work_and_look_ups_say_what_is_missing(admin: Visitor) -> None:
    """The API server has the state connection alone; no page needs another one but to ask."""
    assert "demo" in admin.get("/contact-sync/syncs")
    for path in (SYNC, f"{SYNC}/clients", f"{SYNC}/rejected", f"{SYNC}/rejected.csv"):
        admin.get(path)
    for path in (f"{SYNC}/clients/1", f"{SYNC}/clients/1?live=on"):
        said = admin.get(path, 503)
        assert (
            f"This asks B2CORE, and Airflow&#39;s API server, which makes this page, {MISSING}"
            in said
        )
        assert "set AIRFLOW_CONN_B2CORE_DEFAULT, for the API server" in said
    sought = admin.session.post(f"{admin.url}{SYNC}/clients", {"q": "a@example.com"}, timeout=60)
    assert (sought.status_code, MISSING in " ".join(sought.text.split())) == (503, True)


@pytest.fixture(scope="module")
def eyes() -> Iterator[Eyes]:
    """A Chromium."""
    opened = Eyes()
    yield opened
    opened.close()


@pytest.mark.parametrize(("role", "triggers"), [("Viewer", False), ("User", True), ("Op", True)])
def test_whoever_may_see_the_dag_sees_the_pages(
    admin: Visitor, eyes: Eyes, role: str, triggers: bool
) -> None:
    """In a browser. With what `init` adds to FAB's roles they find them, too; a User may also start
    runs, and who may edit connections, mappings."""
    visitor = person(admin, role)
    in_menu = visitor.get("/api/v2/plugins")
    assert '"url_route":"contact-sync"' in in_menu
    assert '"url_route":"sync-report"' in in_menu
    front = eyes.glance(admin.url, visitor.token, "/contact-sync/syncs")
    assert "Demo brokerage" in front
    assert ("Run now" in front) == triggers
    assert ("let you start, pause or cancel runs" in front) != triggers
    assert ("New sync" in front.links) == (role == "Op")
    buttons = eyes.visit(admin.url, visitor.token, folded_buttons)
    assert buttons == (["Dry run", "Pause", "Check set-up"] if triggers else [])
    page = eyes.glance(admin.url, visitor.token, SYNC)
    assert ("Trigger in Airflow" in page) == triggers
    visitor.get(f"{SYNC}/rejected")
    retry = visitor.session.post(f"{admin.url}{SYNC}/rejected/retry", timeout=60)
    assert (retry.status_code != 403) == triggers, retry.text
    sought = visitor.session.post(f"{admin.url}{SYNC}/clients", {"q": "a@b.example"}, timeout=60)
    assert sought.status_code == (503 if role == "Op" else 403)  # who reads connections may ask


def folded_buttons(page: Page) -> list[str]:
    """The buttons that *More* unfolds on the page of all syncs, opened by keyboard."""
    page.goto("/contact-sync/syncs")
    page.get_by_text("More for").press("Enter")
    return [
        name.splitlines()[0]
        for name in page.locator("details[open]").get_by_role("button").all_inner_texts()
    ]


def test_whoever_may_not_see_the_dag_sees_no_page(admin: Visitor) -> None:
    """Nobody without a login, and no role without permissions."""
    Visitor(admin.url).get("/contact-sync/syncs", 401)
    nobody = person(admin, "Public")
    assert "demo" not in nobody.get("/contact-sync/syncs")
    nobody.get(SYNC, 403)


def test_behind_a_proxy_that_speaks_tls_cookies_are_secure_and_no_redirect_leaves_it(
    admin: Visitor,
) -> None:
    """Login, pages and their redirects, as the proxy's requests arrive."""
    visitor = Visitor(admin.url)
    visitor.session.headers.update(BEHIND_TLS)
    answers = [visitor.answer("/auth/login/")]
    form = dict(re.findall(r'name="(csrf_token)"[^>]*value="([^"]+)"', answers[0].text))
    assert form
    # requests keeps a Secure cookie from http, so it is handed over as a browser at https would.
    cookies = {cookie.name: str(cookie.value) for cookie in visitor.session.cookies}
    login = {**form, "username": "admin", "password": admin.password}
    referer = {"Referer": f"https://{urlsplit(admin.url).netloc}/auth/login/"}
    answers.append(visitor.answer("/auth/login/", data=login, cookies=cookies, headers=referer))
    assert "_token" in answers[-1].cookies
    logged_in = {"Authorization": admin.session.headers["Authorization"]}
    answers += [
        visitor.answer(path, headers=logged_in)
        for path in ("/", "/auth/logout", "/contact-sync/syncs/", f"{SYNC}/", f"{SYNC}/clients?q=1")
    ]
    set_cookies = [line for answer in answers for line in answer.raw.headers.getlist("Set-Cookie")]
    assert len(set_cookies) > 1
    assert [line for line in set_cookies if "; secure" not in line.lower()] == []
    places = [answer.headers["Location"] for answer in answers if "Location" in answer.headers]
    assert len(places) > 2
    assert [place for place in places if urlsplit(place).scheme not in ("", "https")] == []
