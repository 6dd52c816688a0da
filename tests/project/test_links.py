"""The documents' links lead somewhere: files, pictures and headings exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contact_sync.base.degraded import DEGRADED
from tests.support.airflow_home import ROOT
from tests.support.documents import BLOCK, PAGES

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"(?m)^#+ (.+)$")
NAMED = re.compile(r"`(\w+)(?:\(\))?` in `([\w/]+\.py)`")
SAID = re.compile(r"(?m)^\| \*(.+?)\* \|")


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_the_code_are_where_a_page_says(page: Path) -> None:
    """`name` in `file.py`: the file has it, in the package or below the repository."""
    wrong = []
    for name, path in NAMED.findall(page.read_text(encoding="utf-8")):
        files = [place / path for place in (ROOT / "plugins" / "contact_sync", ROOT)]
        texts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
        if not any(re.search(rf"\b{name}\b", text) for text in texts):
            wrong.append(f"{name} in {path}")
    assert wrong == []


def test_everything_degraded_has_a_line_of_what_to_do() -> None:
    """In words that the report has; and no line is of something that it doesn't say any more."""
    told = SAID.findall((ROOT / "docs" / "failed-run.md").read_text(encoding="utf-8"))
    has = {code: [one for one in told if one in f"{said[0]}\n{said[1]}"]
           for code, said in DEGRADED.items()}  # fmt: skip
    assert [code for code, lines in has.items() if len(lines) != 1] == []
    assert sorted(told) == sorted(line for lines in has.values() for line in lines)
