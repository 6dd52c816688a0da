"""Pages as a person sees them: the text that a real browser shows, and what it complains about.

Chromium is driven from a thread of its own: Playwright keeps an event loop running in the thread
that drives it, in which `dag.test()`, which needs one for itself, fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import TypeVar

import uvicorn
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from contact_sync.reporting.sending import TERMS
from contact_sync.web.app import the_app
from local.browser.chromium import chromium
from local.browser.pages import COOKIE, choose_theme
from tests.support.accessible import barriers
from tests.support.raw_codes import raw

AS_IT_IS = r"\S\*{3}@\S\*{3}\S*|manual__\S+"
"""Masked addresses, and the ids of Airflow's DAG runs."""
DESK, PHONE = 1440, 400
"""Widths of a window, in pixels."""
WAIT_MS = 60_000
LINKS = """Object.fromEntries([...document.links].map(
    (link) => [link.innerText.trim(), link.getAttribute("href")]))"""
T = TypeVar("T")


@dataclass
class Visit:
    """A page of somebody who has logged in, and what the browser complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of the console, and requests that leave the server."""
        own = (self.url, "data:", "blob:")
        page, note = self.page, self.complaints.append
        # The page's own status is compared; Chromium calls one of 503 an error, too.
        page.on("console", lambda said: note(said.text) if said.type == "error"
                and said.location.get("url") != page.url else None)  # fmt: skip
        page.on("pageerror", lambda error: note(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(own) else note(asked.url))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows: its text in one line, and where the links with a text lead."""

    text: str
    links: dict[str, str]

    def __contains__(self, part: str) -> bool:
        return part in self.text


Show = Callable[..., Shown]
Glance = Callable[..., Shown]
"""`shown("viewer", "/syncs")`: what a page shows to somebody with this role in Airflow, and nothing
on it is in anybody's way; `glance`: what it shows, of a page whose parts were looked at before."""


def sum_of(page: Shown) -> dict[str, int]:
    """What a run's page says of what was sent, without what is 0; it has to add up."""
    _, _, after = page.text.partition("What has been sent to send ")
    found = {"to send": int(re.match(r"[\d,]+", after)[0].replace(",", ""))}  # type: ignore[index]
    for words in TERMS.values():
        if said := re.search(rf"\b{re.escape(words)} ([\d,]+)", after):
            found[words] = int(said[1].replace(",", ""))
    assert found["to send"] == sum(found.values()) - found["to send"], found
    return {words: n for words, n in found.items() if n}


class Eyes:
    """One Chromium for a whole test session."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "chromium")
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._open: dict[tuple[str, str], Visit] = {}

    def visit(self, url: str, token: str, do: Callable[[Page], T], theme: str = "light") -> T:
        """What `do` gives, which gets an empty page of who has this token at the server `url`;
        the browser may not complain of anything meanwhile."""
        return self._thread.submit(self._visit, url, token, do, theme).result()

    def read(self, url: str, token: str, path: str, status: int = 200) -> Shown:
        """What the page shows on a desk and in light colours. Nothing on it is raw, or in anybody's
        way: neither there nor on a phone and in dark colours."""

        def look(page: Page) -> Shown:
            shown = _shown(page, url + path, status)
            assert barriers(page) == [], path
            page.set_viewport_size({"width": PHONE, "height": 900})
            page.evaluate("localStorage.setItem('theme', 'dark')")
            page.evaluate("dispatchEvent(new StorageEvent('storage', { key: 'theme' }))")
            assert barriers(page) == [], (path, "narrow and dark")
            return shown

        return self.visit(url, token, look)

    def glance(self, url: str, token: str, path: str, status: int = 200) -> Shown:
        """What the page shows on a desk, in the window of an earlier glance; nothing on it is
        raw."""
        return self._thread.submit(self._glance, url, token, path, status).result()

    def close(self) -> None:
        """End the browser."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _visit(self, url: str, token: str, do: Callable[[Page], T], theme: str) -> T:
        visit = self._enter(url, token, theme)
        try:
            found = do(visit.page)
            assert visit.complaints == []
            return found
        finally:
            visit.page.context.close()

    def _glance(self, url: str, token: str, path: str, status: int) -> Shown:
        visit = self._open.get((url, token))
        if visit is None:
            visit = self._open[url, token] = self._enter(url, token, "light")
        visit.complaints.clear()
        shown = _shown(visit.page, url + path, status)
        assert visit.complaints == []
        visit.page.goto("about:blank")  # or it would go on to look at a run
        return shown

    def _enter(self, url: str, token: str, theme: str) -> Visit:
        """A window of its own."""
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(
                executable_path=chromium(self._playwright), args=["--no-sandbox"]
            )
        context = self._browser.new_context(
            base_url=url, reduced_motion="reduce", timezone_id="Europe/Vienna",
            viewport={"width": DESK, "height": 900},
        )  # fmt: skip
        context.set_default_timeout(WAIT_MS)
        context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
        choose_theme(context, theme)
        visit = Visit(context.new_page(), url)
        visit.watch()
        return visit

    def _close(self) -> None:
        if self._browser and self._playwright:
            self._browser.close()
            self._playwright.stop()


def _shown(page: Page, url: str, status: int) -> Shown:
    answer = page.goto(url)
    assert answer is not None
    shown = Shown(" ".join(page.locator("body").inner_text().split()), page.evaluate(LINKS))
    assert answer.status == status, shown
    assert raw(re.sub(AS_IT_IS, "", shown.text)) == [], shown
    return shown


@contextmanager
def served() -> Iterator[str]:
    """The pages at a port of their own, by the server that Airflow uses; gives the URL."""
    server = uvicorn.Server(uvicorn.Config(the_app(), port=0, log_config=None))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.02)
        (port,) = {each.getsockname()[1] for each in server.servers[0].sockets}
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


@cache
def token_of(role: str) -> str:
    """Who has this role in Airflow, and is named like it."""
    return str(init_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role)))
