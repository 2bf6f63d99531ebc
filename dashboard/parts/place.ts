// Arriving at a page or at a place on it: the title says where one is, and focus and scroll go there.
import type { LitElement } from "lit";

const PRODUCT = "Context Edge";

/** A page may learn its heading late: the title follows it. */
export async function showTitle(shell: LitElement): Promise<HTMLElement | null> {
  await shell.updateComplete;
  const main = shell.querySelector<HTMLElement>("main");
  const page = main?.firstElementChild;
  // A page is an element of its own, which renders one step after the shell did.
  if (page && "updateComplete" in page) await page.updateComplete;
  const heading = headingOf(main);
  document.title = heading === "" ? PRODUCT : `${heading} · ${PRODUCT}`;
  return main;
}

/**
 * @param focus `keep-focus` on the first page, where the browser has put it; later pages take it, so that a keyboard or a
 *   screen reader goes on in what was opened and not in the navigation.
 */
export async function showPlace(shell: LitElement, focus: "keep-focus" | "move-focus"): Promise<void> {
  const main = await showTitle(shell);
  // On a phone the navigation is a row that scrolls: where one is must be in sight.
  shell.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  const target = document.getElementById(decodeURIComponent(globalThis.location.hash.slice(1)));
  if (target) {
    if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
    return;
  }
  if (focus === "keep-focus") return;
  main?.focus({ preventScroll: true });
  globalThis.scrollTo(0, 0);
}

/** The heading's words, without the badges that say how it stands. */
function headingOf(main: HTMLElement | null): string {
  const copy = main?.querySelector("h1")?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) return "";
  for (const badge of copy.querySelectorAll(".badge")) badge.remove();
  return copy.textContent.replaceAll(/\s+/g, " ").trim();
}
