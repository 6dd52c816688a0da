/* Keeps a page up to date in place while main[data-refresh] says so: asks for the page again and takes over what
   differs, so that focus, selection, and what is scrolled or opened stay. Hidden, it asks for nothing. */
"use strict";

const PATIENCE_MS = 30_000; // for one answer
const LONGEST_MS = 60_000; // between two tries while nothing answers
const content = () => document.getElementById("content");
let timer = 0;
let failures = 0;
let seen = new Date(); // what is shown is of this moment

function lookLater() {
  clearTimeout(timer);
  const seconds = Number(content().dataset.refresh);
  if (seconds && !document.hidden) {
    timer = setTimeout(look, Math.min(seconds * 1000 * 2 ** failures, Math.max(LONGEST_MS, seconds * 1000)));
  }
}

async function look() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    if (!answer.ok) {
      throw new Error(answer.status === 401 ? "your session is over: log in to Airflow" : `answer ${answer.status}`);
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    takeOver(fresh);
    failures = 0;
    seen = new Date();
    say("");
  } catch (error) {
    failures += 1;
    say(`What you see is of ${absolute(seen)}, because there is no newer answer (${reason(error)}). `
      + "This page tries again by itself.");
  }
  lookLater();
}

function reason(error) {
  return error.name === "TimeoutError" || error.name === "TypeError" ? "Airflow doesn't answer" : error.message;
}

function say(text) {
  const place = document.getElementById("connection");
  if (place.textContent !== text) {
    place.textContent = text;
    place.hidden = text === "";
  }
}

function takeOver(fresh) {
  const main = fresh.getElementById("content");
  if (!main) {
    throw new Error("what came is another page");
  }
  showTimes(main);
  document.title = fresh.title;
  become(content(), main);
}

// Make `old` what `fresh` is, and leave alone what is the same already.
function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue && !isSelected(old)) {
      old.nodeValue = fresh.nodeValue;
    }
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "open") {
      old.setAttribute(name, value);
    }
  }
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const match = sameAs(child, next);
    if (!match) {
      old.insertBefore(document.importNode(child, true), next);
      continue;
    }
    while (next !== match) {
      next = leave(next);
    }
    become(match, child);
    next = match.nextSibling;
  }
  while (next) {
    next = leave(next);
  }
}

// The node that stands for the same thing as `fresh`: with a key the one that has it, from `node` on, else `node`.
function sameAs(fresh, node) {
  const key = keyOf(fresh);
  for (let one = node; one; one = one.nextSibling) {
    if (one.nodeName === fresh.nodeName && keyOf(one) === key) {
      return one;
    }
    if (key === null) {
      break;
    }
  }
  return null;
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || null : null;
}

// Take a node away; who had the focus in it finds it at the beginning of the content.
function leave(node) {
  const next = node.nextSibling;
  if (node.contains(document.activeElement)) {
    content().focus({ preventScroll: true });
  }
  node.remove();
  return next;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && content().dataset.refresh) {
    clearTimeout(timer);
    look();
  } else {
    lookLater();
  }
});
addEventListener("online", () => content().dataset.refresh && look());
lookLater();
