// One deployment, live: where each device is, what the gate says and why, how the version does over time, and what can be done about it.
import type { Deployment, PilotMetrics } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { canOverride, whyNotAct, whyNotAll, whyNotPromote, whyNotRollBack, whyNotSteer } from "../live/allowed.ts";
import { devicesOf, membersOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { askToDeployAll, askToPromote, askToRollBack, askToSteer } from "../parts/deployment-questions.ts";
import { deploymentSteps } from "../parts/deployment-steps.ts";
import "../parts/deployment-charts.ts";
import { deploymentDevices } from "../parts/deployment-devices.ts";
import { gateChecklist } from "../parts/gate-checklist.ts";
import { latencyPairs } from "../parts/latency-pairs.ts";
import "../parts/pilot-panel.ts";
import { progressBar } from "../parts/progress-bar.ts";
import { deploymentBadge } from "../parts/tones.ts";
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
          <span
            ><a href="/models/${deployment.version}">${deployment.version}</a> on ${deployment.groups.join(", ")}</span
          >
          ${deploymentBadge(deployment)}
        </h1>
        <div class="actions">${this.renderActions(state, deployment)}</div>
      </header>
      <p class="lead" data-testid="state-reason">${deployment.state_reason}</p>
      ${deploymentSteps(deployment)}
      <div role="status">${progressBar(deployment.progress)}</div>
      ${this.renderNext(state, deployment)}
      <div class="columns wide-left">
        <div>
          <section class="card" aria-labelledby="over-time">
            <h2 id="over-time">Over time</h2>
            <deployment-charts .deployment=${deployment}></deployment-charts>
          </section>
          ${latencyPairs(members, deployment.id)}
          <section aria-labelledby="devices">
            <h2 id="devices">Devices</h2>
            ${deploymentDevices(state, deployment)}
          </section>
        </div>
        <aside>
          <section class="card">
            <h2>${deployment.kind === "pilot" ? "Pilot" : "Figures"}</h2>
            <pilot-panel .version=${deployment.version} .onMetrics=${this.onMetrics}></pilot-panel>
          </section>
          ${
            deployment.gate
              ? html`<section class="card">
                  <h2>Gate</h2>
                  ${gateChecklist(deployment.gate)}
                </section>`
              : nothing
          }
          ${decision(deployment)}
        </aside>
      </div>
    `;
  }

  private readonly onMetrics = (metrics: PilotMetrics) => {
    this.metrics = metrics;
  };

  /** The next step: a pilot's is every group, others' the next wave. Until it is possible, the button says why not. */
  private renderNext(state: FleetState, deployment: Deployment): TemplateResult | typeof nothing {
    if (deployment.kind === "pilot") return this.renderToAll(state, deployment);
    if (deployment.plan.steps.length < 2) return nothing;
    const whyNever = whyNotAct(state.session, "deploy");
    const why = whyNever ?? whyNotPromote(deployment);
    const canForce =
      whyNever === null && why !== null && (deployment.state === "running" || deployment.state === "soaking");
    if (why !== null && !canForce) return nothing;
    return this.nextCard(
      actionButton({
        label: "Go on to the next step",
        tone: "primary",
        why,
        onClick: () => askToPromote(this, deployment, { override: false }),
      }),
      canForce ? () => askToPromote(this, deployment, { override: true }) : null,
      "Go on anyway…",
      why,
    );
  }

  private renderToAll(state: FleetState, deployment: Deployment): TemplateResult {
    const whyNever = whyNotAct(state.session, "deploy");
    const why = whyNever ?? whyNotAll(deployment, this.metrics);
    const { version } = deployment;
    const blockers = this.metrics?.blockers ?? [];
    const isForced = whyNever === null && canOverride(deployment, this.metrics);
    return this.nextCard(
      html`<button
        class="primary"
        ?disabled=${why !== null}
        aria-describedby="why-not"
        @click=${() => askToDeployAll(this, state, version, { is: "passed" })}
      >
        Deploy to all (${plural(devicesOf(state).length, "device")})
      </button>`,
      isForced ? () => askToDeployAll(this, state, version, { is: "overridden", blockers }) : null,
      "Deploy anyway…",
      why,
    );
  }

  private nextCard(
    button: TemplateResult,
    override: (() => void) | null,
    overrideLabel: string,
    why: string | null,
  ): TemplateResult {
    return html`<div class="card next">
      <div>
        ${button} ${override ? html`<button class="quiet" @click=${override}>${overrideLabel}</button>` : nothing}
      </div>
      <p id="why-not" class="muted" aria-live="polite">${why ?? "The gate has passed."}</p>
    </div>`;
  }

  private renderActions(state: FleetState, deployment: Deployment): TemplateResult {
    const steer = (action: "start" | "pause" | "resume" | "retry" | "abort", label: string) =>
      actionButton({
        label,
        why: whyNotAct(state.session, "steer") ?? whyNotSteer(action, deployment),
        onClick: () => askToSteer(this, state, deployment, action),
      });
    const begins = deployment.state === "draft" || deployment.state === "scheduled";
    return html`
      ${begins ? steer("start", deployment.state === "draft" ? "Start" : "Start now") : nothing}
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

function decision(deployment: Deployment): TemplateResult {
  const { created_by, created_at, reason, groups, previous, plan } = deployment;
  const rows: [string, unknown][] = [
    ["By", html`${created_by} <time-ago at=${created_at}></time-ago>`],
    ...(reason ? [["Reason", reason] as [string, unknown]] : []),
    ...groups.map((group): [string, unknown] => [`${group} before`, previous[group] ?? "nothing"]),
    ...(plan.steps.length > 1
      ? ([
          ["Goes on", plan.promote === "automatic" ? "by itself when the gate passes" : "when somebody says so"],
          ["When it fails", plan.on_fail === "roll-back" ? "rolls back by itself" : "halts"],
        ] as [string, unknown][])
      : []),
  ];
  return html`<section class="card">
    <h2>Decision</h2>
    <dl class="facts">
      ${rows.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "deployment-page": DeploymentPage;
  }
}
