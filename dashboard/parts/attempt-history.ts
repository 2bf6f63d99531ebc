// How the attempts of one device ended, newest first, each with its evidence: baseline against candidate, and what it was held to.
import type { OutcomeReport } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { milliseconds } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { outcomeInWords } from "./device-progress.ts";
import { failureInWords } from "./failure.ts";
import { LightElement } from "./light-element.ts";
import { OUTCOME_TONE } from "./tones.ts";

const FIRST = 8;

@customElement("attempt-history")
export class AttemptHistory extends LightElement {
  @property() device = "";
  /** Changes with each outcome that is told: then the list is asked for anew. */
  @property() newest = "";
  @state() private outcomes: readonly OutcomeReport[] | null = null;
  @state() private failure: Error | null = null;
  @state() private isWhole = false;

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("device") || changed.has("newest")) void this.load();
  }

  private async load(): Promise<void> {
    const device = this.device;
    try {
      const { items } = await api.outcomes(device);
      if (device !== this.device) return;
      this.outcomes = items;
      this.failure = null;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  override render(): TemplateResult {
    if (this.failure) return failureInWords(this.failure);
    if (!this.outcomes) return html`<p class="muted">Asking for its history …</p>`;
    if (this.outcomes.length === 0)
      return html`<p class="card quiet-card">It has not tried to install anything yet.</p>`;
    const shown = this.isWhole ? this.outcomes : this.outcomes.slice(0, FIRST);
    return html`<ol class="attempts">
        ${repeat(
          shown,
          ({ at, deployment_id: id, version }) => `${at} ${id} ${version}`,
          (outcome) =>
            html`<li class=${OUTCOME_TONE[outcome.outcome]}>${outcomeInWords(outcome)} ${bars(outcome)}</li>`,
        )}
      </ol>
      ${
        shown.length < this.outcomes.length
          ? html`<button @click=${() => (this.isWhole = true)}>Show all ${this.outcomes.length}</button>`
          : nothing
      }`;
  }
}

/** p95 as bars of one scale: before, candidate, and the limit as a line across them. */
function bars({ evidence }: OutcomeReport): TemplateResult | typeof nothing {
  const before = evidence.baseline?.p95_ms;
  const after = evidence.candidate?.p95_ms;
  if (before == null || after == null) return nothing;
  const limit = evidence.limit_p95_ms;
  const most = Math.max(before, after, limit ?? 0) * 1.02;
  const width = (value: number) => `${((value / most) * 100).toFixed(1)}%`;
  const isOver = limit !== undefined && after > limit;
  return html`<div
    class="latency-bars"
    role="img"
    aria-label="p95 before ${milliseconds(before)}, candidate ${milliseconds(after)}${limit === undefined ? "" : `, allowed ${milliseconds(limit)}`}"
  >
    <span><i class="before" style="width:${width(before)}"></i><b>before ${milliseconds(before)}</b></span>
    <span
      ><i class="after ${isOver ? "bad" : ""}" style="width:${width(after)}"></i
      ><b>candidate ${milliseconds(after)}</b></span
    >
    ${limit === undefined ? nothing : html`<em style="left:${width(limit)}"></em>`}
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "attempt-history": AttemptHistory;
  }
}
