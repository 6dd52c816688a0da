"""What can be checked by itself of how usable a page is by keyboard and screen reader.

axe checks WCAG 2.2 A and AA and what is good practice besides. What it has no rule for, or only a
weaker one, is checked here.
"""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

from contact_sync.web.rendering import FOLDER
from local.browser.chromium import browser_page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
RATIO = {"expected": 4.5}
OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": TAGS},
    # As much contrast for large text as for small.
    "checks": {"color-contrast": {"options": {"contrastRatio": {"normal": RATIO, "large": RATIO}}}},
    "preload": False,  # our pages may load nothing by script, and the browser would complain
}

_BESIDES = r"""
() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (all("h1").length !== 1) found.push("not one h1");
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.filter((i) => i === id).length > 1) found.push(`id ${id} twice`);
  for (const e of all("[aria-labelledby], [aria-describedby]"))
    for (const name of ["aria-labelledby", "aria-describedby"])
      for (const id of (e.getAttribute(name) || "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) found.push(`nothing has the id ${id}`);
  for (const table of all("table")) {
    if (!table.caption) found.push(`no caption: ${table.textContent.slice(0, 40)}`);
    for (const th of table.querySelectorAll("th"))
      if (!th.scope) found.push(`no scope: ${th.textContent}`);
  }
  const colour = (e, name) => {
    const found = new axe.commons.color.Color();
    found.parseString(getComputedStyle(e)[name]);
    return found;
  };
  const back = (e) => {
    while (e.parentElement && colour(e, "backgroundColor").alpha < 1) e = e.parentElement;
    return colour(e, "backgroundColor");
  };
  for (const e of all("svg text")) {
    const ratio = axe.commons.color.getContrast(back(e), colour(e, "fill"));
    if (!(ratio >= 4.5)) found.push(`contrast ${ratio}: ${e.textContent}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 1) found.push(`wider than the window by ${wide} pixels`);
  return found;
}
"""
"""axe leaves the contrast of an SVG's text open, and whether an id that is named is there."""


def barriers(frame: Frame | Page) -> list[str]:
    """What stands in somebody's way on this page; [] = nothing that these checks find."""
    violations = Axe().run(frame, options=OPTIONS).response["violations"]
    found = [
        f"{violation['id']}: {violation['help']}: {node['html']}: {node.get('failureSummary', '')}"
        for violation in violations
        for node in violation["nodes"]
    ]
    return found + [str(more) for more in frame.evaluate(_BESIDES)]


def assert_everybody_can_use(*answers: str) -> None:
    """Pages, as HTML, have no barriers in a real browser with their own styles: wide and light,
    narrow and dark, because colours don't depend on the width, nor the layout on the theme."""
    style = (FOLDER / "static" / "style.css").read_text(encoding="utf-8")
    with browser_page() as page:
        for number, answer in enumerate(answers):
            html = re.sub(r"<(link|script)[^>]*>(</script>)?", "", answer)
            page.set_content(html.replace("</head>", f"<style>{style}</style></head>"))
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 1440, "height": 800})
            assert barriers(page) == [], f"page {number}, wide and light"
            page.emulate_media(color_scheme="dark")
            page.set_viewport_size({"width": 390, "height": 800})
            assert barriers(page) == [], f"page {number}, narrow and dark"
