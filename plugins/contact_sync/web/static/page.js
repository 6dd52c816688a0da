/* Follows Airflow's light and dark choice, opens Airflow's own pages outside of its frame, copies a text. */
"use strict";

// Airflow's UI keeps the choice here: "light", "dark" or "system".
function followTheme() {
  let choice = null;
  try {
    choice = localStorage.getItem("theme");
  } catch {
    // Storage is switched off: what the system prefers counts, see style.css.
  }
  if (choice === "light" || choice === "dark") {
    document.documentElement.dataset.theme = choice;
  } else {
    delete document.documentElement.dataset.theme;
  }
}

followTheme();
addEventListener("storage", followTheme); // changed in the page around this one

// The frame may not navigate the page around it; a link in that page may.
addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!link || !plain || parent === window) {
    return;
  }
  event.preventDefault();
  const outer = parent.document.createElement("a");
  outer.href = link.href;
  parent.document.body.append(outer);
  outer.click();
});

// A button that copies a text shows only where this script runs.
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy)));
  }
});

async function copy(text) {
  const said = document.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(text.value);
    said.textContent = "Copied.";
  } catch {
    text.select(); // without https a browser has no clipboard for pages
    said.textContent = document.execCommand("copy") ? "Copied." : "Selected: press Ctrl+C.";
  }
}
