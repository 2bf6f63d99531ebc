// One deployment, live: where each device is, what the pilot shows, what the gate says, and what can be done about it.
import type { Deployment, DeploymentState, PilotMetrics } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { devicesOf, membersOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { askToDeployAll, askToRollBack, askToSteer, whyNotAll } from "../parts/deployment-questions.ts";
import { deviceProgress } from "../parts/device-progress.ts";
import { gateChecklist } from "../parts/gate-checklist.ts";
import "../parts/pilot-panel.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { badge, DEPLOYMENT_TONE, DEPLOYMENT_WORDS } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

const CAN_PAUSE: readonly DeploymentState[] = ["running", "soaking", "awaiting-approval"];
const CAN_ABORT: readonly DeploymentState[] = [...CAN_PAUSE, "paused"];

@customElement("deployment-page")
export class DeploymentPage extends PageElement {
  @property() deploymentId = "";
  @reactive() private metrics: PilotMetrics | null = null;

  protected override page(state: FleetState): TemplateResult {
    const deployment = state.deployments[this.deploymentId];
    if (!deployment) {
      return html`<h1>Deployment</h1>
        <p>There is no deployment ${this.deploymentId}. <a href="/deployments">See all</a>.</p>`;
    }
    const members = membersOf(state, deployment);
    return html`
      <p class="crumbs"><a href="/deployments">Deployments</a> /</p>
      <header class="page-head">
        <h1>
          <a href="/models/${deployment.version}">${deployment.version}</a> on ${deployment.groups.join(", ")}
          ${badge(DEPLOYMENT_TONE[deployment.state], DEPLOYMENT_WORDS[deployment.state])}
        </h1>
        <div class="actions">${this.renderActions(state, deployment)}</div>
      </header>
      <p class="lead" data-testid="state-reason">${deployment.state_reason}</p>
      ${progressBar(deployment.progress)} ${this.renderNext(state, deployment)}
      <div class="columns wide-left">
        <section aria-labelledby="devices">
          <h2 id="devices">Devices</h2>
          ${
            members.length === 0
              ? html`<p class="card quiet-card">No device follows this deployment any more.</p>`
              : members.map((device) => deviceProgress(device, deployment.id))
          }
        </section>
        <aside>
          <section class="card">
            <h2>${deployment.kind === "pilot" ? "Pilot" : "Figures"}</h2>
            <pilot-panel .version=${deployment.version} .onMetrics=${this.onMetrics}></pilot-panel>
          </section>
          ${
            deployment.gate && deployment.kind === "pilot"
              ? html`<section class="card">
                  <h2>Gate</h2>
                  ${gateChecklist(deployment.gate)}
                </section>`
              : nothing
          }
          <section class="card">
            <h2>Decision</h2>
            <dl class="facts">
              <div>
                <dt>By</dt>
                <dd>${deployment.created_by} <time-ago at=${deployment.created_at}></time-ago></dd>
              </div>
              ${
                deployment.reason
                  ? html`<div>
                      <dt>Reason</dt>
                      <dd>${deployment.reason}</dd>
                    </div>`
                  : nothing
              }
              ${deployment.groups.map(
                (group) =>
                  html`<div>
                    <dt>${group} before</dt>
                    <dd>${deployment.previous[group] ?? "nothing"}</dd>
                  </div>`,
              )}
            </dl>
          </section>
        </aside>
      </div>
    `;
  }

  private readonly onMetrics = (metrics: PilotMetrics) => {
    this.metrics = metrics;
  };

  /** The pilot's own next step: to all, as soon as the gate lets it; until then the button says why not. */
  private renderNext(state: FleetState, deployment: Deployment): TemplateResult | typeof nothing {
    if (deployment.kind !== "pilot") return nothing;
    const why = whyNotAll(deployment, this.metrics);
    const total = devicesOf(state).length;
    const canOverride = why !== null && deployment.state !== "finished" && deployment.state !== "rolled-back";
    return html`<div class="card next">
      <div>
        <button
          class="primary"
          ?disabled=${why !== null}
          aria-describedby="why-not"
          @click=${() => askToDeployAll(this, state, deployment.version, false, [])}
        >
          Deploy to all (${plural(total, "device")})
        </button>
        ${
          canOverride
            ? html`<button
                class="quiet"
                @click=${() => askToDeployAll(this, state, deployment.version, true, this.metrics?.blockers ?? [])}
              >
                Deploy anyway…
              </button>`
            : nothing
        }
      </div>
      <p id="why-not" class="muted" aria-live="polite">${why ?? "The gate has passed."}</p>
    </div>`;
  }

  private renderActions(state: FleetState, deployment: Deployment): TemplateResult {
    const { state: now, progress } = deployment;
    const canRollBack =
      membersOf(state, deployment).length > 0 && Object.values(deployment.previous).some((version) => version !== null);
    const bad = progress.failed + progress.rolled_back;
    return html`
      ${now === "paused" ? html`<button @click=${() => askToSteer(this, deployment, "resume")}>Resume</button>` : nothing}
      ${CAN_PAUSE.includes(now) ? html`<button @click=${() => askToSteer(this, deployment, "pause")}>Pause</button>` : nothing}
      ${CAN_ABORT.includes(now) && bad > 0 ? html`<button @click=${() => askToSteer(this, deployment, "retry")}>Retry</button>` : nothing}
      ${CAN_ABORT.includes(now) ? html`<button @click=${() => askToSteer(this, deployment, "abort")}>Abort</button>` : nothing}
      <button
        class="danger"
        ?disabled=${!canRollBack}
        title=${canRollBack ? "" : "No group follows this deployment any more, or there was nothing before it."}
        @click=${() => askToRollBack(this, state, deployment)}
      >
        Roll back
      </button>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "deployment-page": DeploymentPage;
  }
}
