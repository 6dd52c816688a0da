/* Shows each moment in the viewer's time zone, which Airflow's UI lets them choose, and how long ago it is. */
"use strict";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 365]];

// Airflow's UI keeps the choice here, as JSON; without one it shows the browser's zone, too.
function chosenZone() {
  try {
    const zone = JSON.parse(localStorage.getItem("timezone"));
    new Intl.DateTimeFormat("en-GB", { timeZone: zone || undefined });
    return zone || undefined;
  } catch {
    return undefined; // storage is switched off, or what is there is no zone
  }
}

function absolute(moment) {
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    timeZone: chosenZone(), timeZoneName: "short",
  }).format(moment);
}

function relative(moment) {
  let distance = (moment - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) < size || unit === "day") {
      return RELATIVE.format(Math.trunc(distance), unit);
    }
    distance /= size;
  }
  return "";
}

// `root`: a document, or a part of one that isn't shown yet.
function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime())) {
      continue;
    }
    const ago = element.ownerDocument.createElement("span");
    ago.className = "quiet ago";
    ago.textContent = ` (${relative(moment)})`;
    element.replaceChildren(absolute(moment), ago);
  }
}

function showAges() {
  for (const ago of document.querySelectorAll("time .ago")) {
    const text = ` (${relative(new Date(ago.parentElement.getAttribute("datetime")))})`;
    if (ago.textContent !== text && !isSelected(ago)) {
      ago.textContent = text;
    }
  }
}

// Whether the viewer has selected text of this node, which would be lost with a change of it.
function isSelected(node) {
  const selection = document.getSelection();
  return Boolean(selection && !selection.isCollapsed && selection.containsNode(node, true));
}

showTimes(document);
setInterval(showAges, 5000);
addEventListener("storage", (event) => {
  if (event.key === "timezone") {
    showTimes(document); // changed in the page around this one
  }
});
