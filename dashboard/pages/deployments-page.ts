// Every decision to change targets, newest first.
import { html, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { deploymentsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { badge, DEPLOYMENT_TONE, DEPLOYMENT_WORDS } from "../parts/tones.ts";
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
      <div class="cards">
        ${deployments.map(
          (deployment) =>
            html`<article class="card decision ${DEPLOYMENT_TONE[deployment.state]}">
              <div>
                <p>
                  ${badge(DEPLOYMENT_TONE[deployment.state], DEPLOYMENT_WORDS[deployment.state])}
                  <a href="/deployments/${deployment.id}"
                    ><strong>${deployment.version}</strong> on ${deployment.groups.join(", ")}</a
                  >
                  <span class="muted"
                    ><time-ago at=${deployment.created_at}></time-ago> by ${deployment.created_by}</span
                  >
                </p>
                <p class="muted">${deployment.state_reason}</p>
                ${progressBar(deployment.progress)}
              </div>
            </article>`,
        )}
      </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "deployments-page": DeploymentsPage;
  }
}
