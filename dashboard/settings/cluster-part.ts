// The cluster that devices are nodes of: whether this hub sees it, who decides on groups, and every node with what is wrong.
import type { AgentOnNode, ClusterNode, ClusterView } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { lookAtCluster } from "../parts/cluster-look.ts";
import { problemInWords } from "../parts/cluster-troubles.ts";
import { failureInWords } from "../parts/failure.ts";
import { LightElement } from "../parts/light-element.ts";
import { badge, NODE_TONE, NODE_WORDS } from "../parts/tones.ts";

const AGENT_WORDS: Record<AgentOnNode, string> = {
  ready: "ready",
  "not-ready": "not ready",
  none: "none",
  unknown: "unknown",
};

const DECIDED: Record<ClusterView["groups_decided_by"], string> = {
  hub: "The label of a node puts its device into a group when it enrols. After that the hub decides, and writes the label.",
  label: "The label of a node decides on its device's group: change the label, and the device moves.",
};

@customElement("cluster-part")
export class ClusterPart extends LightElement {
  readonly #look = lookAtCluster(this);

  override render(): TemplateResult {
    const { view, failure } = this.#look;
    if (!view)
      return failure ? failureInWords(failure) : html`<p class="muted loading" aria-busy="true">Asking the hub …</p>`;
    return html`<h2>Cluster</h2>
      ${failure ? failureInWords(failure) : nothing} ${view.state === "off" ? off(view) : nodes(view)}`;
  }
}

const off = ({ why_off }: ClusterView): TemplateResult =>
  html`<p class="card quiet-card">
    This hub looks at no cluster: ${why_off}. Devices need none. Where they are nodes of Kubernetes, HUB_CLUSTER and
    HUB_KUBECONFIG let the hub see them.
  </p>`;

function nodes(view: ClusterView): TemplateResult {
  return html`<p class="muted">${DECIDED[view.groups_decided_by]}</p>
    ${view.problems.map(problemInWords)}
    ${view.state === "connecting" ? html`<p class="muted loading" aria-busy="true">Listing the nodes …</p>` : nothing}
    ${view.nodes.length === 0 && view.state === "seen" ? html`<p class="card quiet-card">No node is labelled as one that runs an agent, and none carries a device of this hub.</p>` : nothing}
    ${view.nodes.length > 0 ? table(view.nodes) : nothing}`;
}

const table = (all: readonly ClusterNode[]): TemplateResult =>
  html`<div class="table-wrap card" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Node</th>
          <th>State</th>
          <th>Agent</th>
          <th>Device</th>
          <th>Group by label</th>
          <th>What is wrong</th>
        </tr>
      </thead>
      <tbody>
        ${repeat(all, ({ name }) => name, row)}
      </tbody>
    </table>
  </div>`;

function row({ name, ready, agent, device, label_group, troubles }: ClusterNode): TemplateResult {
  return html`<tr data-testid="node-${name}">
    <td><strong>${name}</strong></td>
    <td>
      ${ready ? badge("good", "Ready") : nothing}
      ${troubles.map(({ code }) => html`${badge(NODE_TONE[code], NODE_WORDS[code])} `)}
    </td>
    <td>${AGENT_WORDS[agent]}</td>
    <td>${device === null ? "–" : html`<a href="/devices/${device}">${device}</a>`}</td>
    <td>${label_group ?? "–"}</td>
    <td class="words">
      ${troubles.length === 0 ? "–" : troubles.map(({ message, next_step }) => html`<div>${message}. <span class="muted">${next_step}</span></div>`)}
    </td>
  </tr>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "cluster-part": ClusterPart;
  }
}
