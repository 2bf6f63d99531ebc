// The page's own script, served as a file: parts that changed are replaced when the agent says something moved, and never under the reader's hands.

/**
 * A part stays as it is while somebody types in it, has opened a form in it, or marks text in it; opened details stay
 * open, and the focus stays where it was. Without this script the page is read by reloading it.
 */
export const SCRIPT = `"use strict";
const parts = () => [...document.querySelectorAll("[data-live]")];
const asServed = new Map(parts().map((part) => [part.id, part.innerHTML]));

const isInUse = (part) => {
  const fields = [...part.querySelectorAll("input:not([type=hidden]), select")];
  if (fields.some((field) => field === document.activeElement || (field.value !== "" && field.tagName === "INPUT"))) return true;
  if (part.querySelector("details.action[open]")) return true;
  const marked = getSelection();
  return marked !== null && !marked.isCollapsed && part.contains(marked.anchorNode);
};

const pathTo = (part, element) => {
  const path = [];
  for (let at = element; at !== part; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
};

const replace = (part, html) => {
  const open = new Map([...part.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  const focused = part.contains(document.activeElement) && part !== document.activeElement ? document.activeElement : null;
  const path = focused && pathTo(part, focused);
  const scrolled = scrollY;
  part.innerHTML = html;
  for (const [id, isOpen] of open) {
    const one = document.getElementById(id);
    if (one) one.open = isOpen;
  }
  if (!focused) return;
  const same = focused.id !== "" && document.getElementById(focused.id);
  const there = same || path.reduce((at, index) => at && at.children[index], part);
  if (there && there.focus) there.focus({ preventScroll: true });
  scrollTo(scrollX, scrolled);
};

const update = (fresh) => {
  const now = [...fresh.querySelectorAll("[data-live]")];
  const isSameSet = now.length === parts().length && now.every((part) => asServed.has(part.id));
  if (!isSameSet) {
    // A model came or went. Whoever is typing finishes first.
    if (!parts().some(isInUse)) location.replace("/");
    return;
  }
  for (const next of now) {
    const part = document.getElementById(next.id);
    if (!part || asServed.get(next.id) === next.innerHTML || isInUse(part)) continue;
    asServed.set(next.id, next.innerHTML);
    part.className = next.className;
    replace(part, next.innerHTML);
  }
  document.title = fresh.title;
};

let isAsking = false;
let isAskedAgain = false;
const refresh = async () => {
  if (isAsking) { isAskedAgain = true; return; }
  isAsking = true;
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (answer.ok) update(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The agent restarts or the network is gone: the next look tells.
  }
  isAsking = false;
  if (isAskedAgain) { isAskedAgain = false; setTimeout(refresh, 300); }
};

if (location.pathname === "/") {
  // The message has been said; a reload does not say it again.
  if (location.search !== "") history.replaceState(null, "", "/");
  new EventSource("/events").addEventListener("message", refresh);
  setInterval(refresh, 15000);
  for (const line of document.querySelectorAll(".live")) line.hidden = false;
}
const closed = [];
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) { closed.push(one); one.open = true; }
});
addEventListener("afterprint", () => { for (const one of closed.splice(0)) one.open = false; });
`;
