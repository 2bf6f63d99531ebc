// One deployment, live: where each device is, what the pilot shows, what the gate says, and what can be done about it.
import type { Deployment, PilotMetrics } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { canOverride, whyNotAct, whyNotAll, whyNotRollBack, whyNotSteer } from "../live/allowed.ts";
import { devicesOf, membersOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { askToDeployAll, askToRollBack, askToSteer } from "../parts/deployment-questions.ts";
import { deviceProgress } from "../parts/device-progress.ts";
import { gateChecklist } from "../parts/gate-checklist.ts";
import "../parts/pilot-panel.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { badge, DEPLOYMENT_TONE, DEPLOYMENT_WORDS } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

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
      <div role="status">${progressBar(deployment.progress)}</div>
      ${this.renderNext(state, deployment)}
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
    const whyNever = whyNotAct(state.session, "deploy");
    const why = whyNever ?? whyNotAll(deployment, this.metrics);
    const total = devicesOf(state).length;
    return html`<div class="card next">
      <div>
        <button
          class="primary"
          ?disabled=${why !== null}
          aria-describedby="why-not"
          @click=${() => askToDeployAll(this, state, deployment.version, { is: "passed" })}
        >
          Deploy to all (${plural(total, "device")})
        </button>
        ${
          whyNever === null && canOverride(deployment, this.metrics)
            ? html`<button
                class="quiet"
                @click=${() =>
                  askToDeployAll(this, state, deployment.version, {
                    is: "overridden",
                    blockers: this.metrics?.blockers ?? [],
                  })}
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
    const steer = (action: "pause" | "resume" | "retry" | "abort", label: string) =>
      actionButton({
        label,
        why: whyNotAct(state.session, "steer") ?? whyNotSteer(action, deployment),
        onClick: () => askToSteer(this, state, deployment, action),
      });
    return html`
      ${deployment.state === "paused" ? steer("resume", "Resume") : steer("pause", "Pause")} ${steer("retry", "Retry")}
      ${steer("abort", "Abort")}
      ${actionButton({
        label: "Roll back",
        tone: "danger",
        why: whyNotAct(state.session, "roll back") ?? whyNotRollBack(deployment, membersOf(state, deployment).length),
        onClick: () => askToRollBack(this, state, deployment),
      })}
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "deployment-page": DeploymentPage;
  }
}
