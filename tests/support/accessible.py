"""What can be checked by itself of how usable a page is by keyboard and screen reader.

The rules are those of WCAG 2.1 AA that axe checks too: names, labels, headings, tables, contrast.
"""

from __future__ import annotations

from playwright.sync_api import Frame, Page

_CHECK = r"""
() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (e) => e.getClientRects().length > 0;
  const name = (e) => (e.getAttribute("aria-label") || e.textContent || "").trim();
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  if (all("main").length !== 1) found.push("not one main");
  if (all("h1").length !== 1) found.push("not one h1");
  let level = 1;
  for (const heading of all("h1,h2,h3,h4").filter(shown)) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) found.push(`heading ${heading.textContent} skips a level`);
    level = next;
  }
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.filter((i) => i === id).length > 1) found.push(`id ${id} twice`);
  for (const e of all("a, button, summary")) if (!name(e)) found.push(`no name: ${e.outerHTML}`);
  for (const e of all("img")) if (!e.hasAttribute("alt")) found.push(`no alt: ${e.src}`);
  for (const e of all("input:not([type=hidden]), select"))
    if (!e.labels.length) found.push(`no label: ${e.name}`);
  for (const e of all("svg[role=img]"))
    if (!e.querySelector("title")) found.push("chart: no title");
  for (const table of all("table")) {
    if (!table.caption) found.push(`no caption: ${table.textContent.slice(0, 40)}`);
    for (const th of table.querySelectorAll("th"))
      if (!th.scope) found.push(`no scope: ${th.textContent}`);
  }
  for (const e of all("[aria-labelledby]"))
    for (const id of e.getAttribute("aria-labelledby").split(" "))
      if (!document.getElementById(id)) found.push(`nothing has the id ${id}`);
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => {
      v /= 255;
      return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const back = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !shown(e)) continue;
    const style = getComputedStyle(e);
    const front = rgb(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(front), light(back(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const said = e.textContent.trim().slice(0, 40);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(1)}: ${said}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 1) found.push(`wider than the window by ${wide} pixels`);
  return found;
}
"""


def barriers(frame: Frame | Page) -> list[str]:
    """What stands in somebody's way on this page; [] = nothing that this check finds."""
    return [str(found) for found in frame.evaluate(_CHECK)]
