// How a deployment's devices stand, as one bar of shares with its counts in words.
import type { Progress } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import type { Tone } from "./tones.ts";

const PARTS: [keyof Omit<Progress, "total">, string, Tone][] = [
  ["committed", "committed", "good"],
  ["moving", "under way", "busy"],
  ["pending", "waiting", "quiet"],
  ["rolled_back", "rolled back", "bad"],
  ["failed", "failed", "bad"],
  ["incompatible", "incompatible", "warn"],
  ["held", "held", "warn"],
  ["offline", "offline", "quiet"],
];

export function progressBar(progress: Progress): TemplateResult {
  const present = PARTS.filter(([key]) => progress[key] > 0);
  const words = present.map(([key, name]) => `${progress[key]} ${name}`).join(", ") || "no devices";
  return html`<div class="progress">
    <div class="bar" role="img" aria-label=${words}>
      ${present.map(([key, , tone]) => html`<span class=${tone} style="flex-grow:${progress[key]}"></span>`)}
    </div>
    <span class="muted">${words}</span>
  </div>`;
}
