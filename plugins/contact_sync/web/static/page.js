/* Follows Airflow's light and dark choice, and opens Airflow's own pages outside of its frame. */
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
