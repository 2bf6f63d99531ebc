// The cluster on the overview, where something is wrong with it; on a device's page, what the cluster says of its node. Otherwise nothing.
import type { ClusterNode, ClusterProblem } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { nodesInTrouble, troublesOfDevice } from "../live/cluster.ts";
import { lookAtCluster } from "./cluster-look.ts";
import { LightElement } from "./light-element.ts";
import { badge, NODE_TONE, NODE_WORDS } from "./tones.ts";

const MOST = 4;

@customElement("cluster-troubles")
export class ClusterTroubles extends LightElement {
  readonly #look = lookAtCluster(this);

  override render(): TemplateResult | typeof nothing {
    const { view } = this.#look;
    if (!view) return nothing;
    const troubled = nodesInTrouble(view);
    if (troubled.length + view.problems.length === 0) return nothing;
    return html`<section aria-labelledby="cluster">
      <div class="section-head">
        <h2 id="cluster">Cluster</h2>
        <a href="/settings/cluster">All nodes</a>
      </div>
      ${view.problems.map(problemInWords)}
      ${
        troubled.length > 0
          ? html`<div class="card rows">
              ${troubled.slice(0, MOST).map(row)}
              ${troubled.length > MOST ? html`<p class="muted">And ${plural(troubled.length - MOST, "more node")}.</p>` : nothing}
            </div>`
          : nothing
      }
    </section>`;
  }
}

@customElement("cluster-note")
export class ClusterNote extends LightElement {
  @property() device = "";
  readonly #look = lookAtCluster(this);

  override render(): TemplateResult[] {
    const { view } = this.#look;
    return (view ? troublesOfDevice(view, this.device) : []).map(
      ({ code, message, next_step }) =>
        html`<p class="callout ${NODE_TONE[code]}"><strong>${message}.</strong> ${next_step}</p>`,
    );
  }
}

export const problemInWords = ({ code, message, next_step }: ClusterProblem): TemplateResult =>
  html`<p class="callout warn"><strong>${message}.</strong> ${next_step} <code>${code}</code></p>`;

function row({ name, device, troubles }: ClusterNode): TemplateResult {
  const tone = troubles[0] ? NODE_TONE[troubles[0].code] : "quiet";
  return html`<article class="row ${tone}">
    <div>
      <p class="row-head">
        ${troubles.map(({ code }) => html`${badge(NODE_TONE[code], NODE_WORDS[code])} `)} <strong>${name}</strong>
      </p>
      <div class="muted">${troubles[0]?.message}. ${troubles[0]?.next_step}</div>
    </div>
    ${device === null ? nothing : html`<a class="button" href="/devices/${device}" aria-label="See ${device}">See device</a>`}
  </article>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "cluster-troubles": ClusterTroubles;
    "cluster-note": ClusterNote;
  }
}
