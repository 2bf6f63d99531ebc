// Small pieces of markup that several sections share. Every `${text}` is escaped by the tag; lists hold only what the tag itself made.
import html from "html-template-tag";
import type { Tone } from "../core/words.ts";
import { bytesWords, shortDigest } from "./format.ts";

export { html };

/** For the tag: markup made by the tag, or nothing. */
export type Piece = string[];

/** An instant in words, with the exact one beside it for programs and on touch. */
export function timeTag(at: string, words: string): Piece {
  return [html`<time datetime="${at}" title="${at}">${words}</time>`];
}

/** Short to compare by eye; the whole digest when opened, as text that can be selected. */
export function digestTag(digest: string, id: string): Piece {
  return [
    html`<details class="digest" id="${idOf(`digest-${id}`)}">
      <summary title="${digest}"><span class="unseen">Digest </span><code>${shortDigest(digest)}…</code></summary>
      <code class="whole">${digest}</code>
    </details>`,
  ];
}

/** A share as a bar; the words stand beside it, so it says nothing to a screen reader. @param share 0 to 1 */
export function shareBar(share: number, tone: Tone): Piece {
  const width = (Math.min(1, Math.max(0, share)) * 100).toFixed(1);
  return [
    html`<svg class="bar ${tone}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="track" width="100" height="6"></rect>
      <rect class="fill" width="${width}" height="6"></rect>
    </svg>`,
  ];
}

export function bytesOf(part: number, whole: number): string {
  return `${bytesWords(part)} of ${bytesWords(whole)}`;
}

/** An id that is safe in markup and in a fragment, whatever it was made from. */
export function idOf(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]/g, "_");
}

/** For attributes that hold an address: the tag leaves them to us. */
export function attribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Shapes that differ without their colour too: tick, circling arrow, pause, exclamation mark, ring. */
const SHAPES: Record<Tone, string> = {
  good: "M5 12.5l4.5 4.5L19 7.5",
  busy: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M17.5 2.5v4.5H13",
  waiting: "M8.5 6v12M15.5 6v12",
  bad: "M12 5v9m0 4.2v.3",
  quiet: "M12 6a6 6 0 1 0 .01 0z",
};

export function icon(tone: Tone): Piece {
  return [
    html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d="${SHAPES[tone]}"
        fill="none"
        stroke="currentColor"
        stroke-width="2.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      ></path>
    </svg>`,
  ];
}
