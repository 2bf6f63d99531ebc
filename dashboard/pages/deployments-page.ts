// Every decision to change targets, newest first.
import type { Deployment } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { deploymentsOf, isOpen, isTargetOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import "../parts/more-list.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { deploymentBadge, DEPLOYMENT_TONE } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

@customElement("deployments-page")
export class DeploymentsPage extends PageElement {
  protected override page(state: FleetState): TemplateResult {
    const deployments = deploymentsOf(state);
    if (deployments.length === 0) {
      return html`<h1>Deployments</h1>
        <p class="card quiet-card">Nothing was deployed yet. <a href="/models">Review a version</a> to begin.</p>`;
    }
    return html`<h1>Deployments</h1>
      <more-list
        class="cards"
        .items=${deployments}
        .keyOf=${({ id }: Deployment) => id}
        .show=${(deployment: Deployment) => card(state, deployment)}
        what="deployment"
      ></more-list>`;
  }
}

function card(state: FleetState, deployment: Deployment): TemplateResult {
  const follows = deployment.groups.filter((group) => isTargetOf(state, group, deployment));
  const isPart = !isOpen(deployment) && follows.length > 0 && follows.length < deployment.groups.length;
  return html`<article class="card decision ${DEPLOYMENT_TONE[deployment.state]}">
    <div>
      <p>
        ${deploymentBadge(deployment)}
        <a href="/deployments/${deployment.id}"
          ><strong>${deployment.version}</strong> on ${deployment.groups.join(", ")}</a
        >
        <span class="muted"><time-ago at=${deployment.created_at}></time-ago> by ${deployment.created_by}</span>
      </p>
      <p class="muted">${deployment.state_reason}</p>
      ${progressBar(deployment.progress)}
      ${isPart ? html`<p class="muted">Still followed by ${follows.join(", ")}; the others have gone on.</p>` : nothing}
    </div>
  </article>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "deployments-page": DeploymentsPage;
  }
}
