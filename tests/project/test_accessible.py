"""The check of accessibility finds what it is there for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from local.browser.chromium import browser_page
from tests.support.accessible import barriers

GOOD = """<!doctype html><html lang="en"><head><title>A page</title></head>
<body style="background: #fff; color: #111">
<header><nav aria-label="Where you are"><a href="/">All</a></nav></header><main><h1>A page</h1>
<section aria-labelledby="part"><h2 id="part">A part</h2><p>Some words</p>
<table><caption>Numbers</caption><tr><th scope="col">One</th></tr><tr><td>1</td></tr></table>
<svg role="img" aria-labelledby="chart" width="90" height="30"><title id="chart">A chart</title>
<text x="5" y="20" fill="#555">10</text></svg>
<form><label for="q">Client</label><input id="q"><button>Look up</button></form>
</section></main></body></html>"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of Chromium."""
    with browser_page() as page:
        yield page


def test_a_page_that_everybody_can_use_has_no_barrier(page: Page) -> None:
    """So that an empty answer says something."""
    page.set_content(GOOD)
    assert barriers(page) == []


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        (' lang="en"', "", "html-has-lang"),
        ("<title>A page</title>", "", "document-title"),
        ("main>", "div>", "landmark-one-main"),
        ("<p>Some words</p>", "<h1>More</h1>", "not one h1"),
        ("<p>Some words</p>", "<h4>Deep</h4>", "heading-order"),
        ("<p>Some words</p>", '<p id="q">Twice</p>', "id q twice"),
        ("<p>Some words</p>", '<a href="/x"></a>', "link-name"),
        ("<p>Some words</p>", '<img src="data:,">', "image-alt"),
        ("<p>Some words</p>", '<p style="color: #888">Pale</p>', "color-contrast"),
        ("<p>Some words</p>", '<p style="color: #888; font-size: 40px">Pale</p>', "color-contrast"),
        ("<p>Some words</p>", '<p style="width: 3000px">Wide</p>', "wider than the window"),
        ("<button>Look up</button>", "<button></button>", "button-name"),
        ('<label for="q">Client</label>', "", "label"),
        ("<caption>Numbers</caption>", "", "no caption"),
        (' scope="col"', "", "no scope"),
        ('aria-labelledby="part"', 'aria-labelledby="gone"', "nothing has the id gone"),
        ('<title id="chart">A chart</title>', '<g id="chart"></g>', "svg-img-alt"),
        ('fill="#555"', 'fill="#aaa"', "contrast 2.3"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_found(page: Page, part: str, instead: str, said: str) -> None:
    """By axe, or by what is checked besides."""
    assert part in GOOD
    page.set_content(GOOD.replace(part, instead))
    found = barriers(page)
    assert [barrier for barrier in found if said in barrier], found
