"""The documents' links lead somewhere: files, pictures and headings exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import BLOCK, PAGES

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"(?m)^#+ (.+)$")


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them in links."""
    titles = HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Within the repository; addresses on the net aren't looked at."""
    wrong = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    """By links, over any number of pages."""
    seen: set[Path] = set()
    waiting = [PAGES[0]]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        links = LINK.findall(page.read_text(encoding="utf-8"))
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links}
        waiting += [each for each in targets & set(PAGES) if each not in seen]
    assert set(PAGES) - seen == set()
