// Deploying in steps: groups in their order, waves, gate and schedule; and beside it what would happen, before anything does.
import type { DeploymentPreview } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state as reactive } from "lit/decorators.js";
import { plural } from "../format/numbers.ts";
import { whyNotAct, whyNotDeploy } from "../live/allowed.ts";
import { api } from "../live/client.ts";
import { newPlan, type PlanForm, planOfForm } from "../live/plan-form.ts";
import { groupsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { failureInWords } from "../parts/failure.ts";
import { openPage } from "../parts/open-page.ts";
import { planFields } from "../parts/plan-fields.ts";
import { PageElement } from "./page-element.ts";

/** Typing goes on: the hub is asked when it pauses. */
const PAUSE_MS = 250;
const MOST_NAMES = 12;

@customElement("deploy-page")
export class DeployPage extends PageElement {
  @property() version = "";
  @reactive() private form: PlanForm | null = null;
  @reactive() private preview: DeploymentPreview | null = null;
  @reactive() private failure: Error | null = null;
  @reactive() private isBusy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override page(state: FleetState): TemplateResult {
    const version = state.versions[`default/${this.version}`];
    if (!version)
      return html`<h1>${this.version}</h1>
        <p>There is no such version. <a href="/models">See all versions</a>.</p>`;
    const form = this.form ?? newPlan(this.version, (state.session?.gate_soak_seconds ?? 86_400) / 3_600);
    const plan = planOfForm(form, this.preview?.id);
    const why = whyNotAct(state.session, "deploy") ?? whyNotDeploy(version) ?? (plan.ok ? null : plan.why);
    return html`
      <p class="crumbs"><a href="/models">Models</a> / <a href="/models/${this.version}">${this.version}</a> /</p>
      <h1>Deploy ${this.version} in steps</h1>
      <form class="columns wide-left" @submit=${this.submit}>
        <div>${planFields(form, groupsOf(state), (some) => this.change({ ...form, ...some }))}</div>
        <aside>
          <section class="card preview" aria-labelledby="would" aria-live="polite">
            <h2 id="would">What would happen</h2>
            ${this.preview ? previewInWords(this.preview) : html`<p class="muted">${plan.ok ? "Asking the hub …" : plan.why}</p>`}
          </section>
          ${this.failure ? failureInWords(this.failure) : nothing}
          <div class="card next">
            <button class="primary" type="submit" ?disabled=${why !== null || this.isBusy} aria-describedby="why-not">
              ${this.isBusy ? "Working …" : form.startAt === "" ? `Deploy ${this.version}` : `Schedule ${this.version}`}
            </button>
            <p id="why-not" class="muted">
              ${why ?? (version.stage === "pending" ? "This approves the version in your name." : "Nothing changes before you press it.")}
            </p>
          </div>
        </aside>
      </form>
    `;
  }

  private change(form: PlanForm): void {
    this.form = form;
    this.failure = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(form), PAUSE_MS);
  }

  /** The same id for every look of one page: the waves that are shown are those that will be. */
  private async look(form: PlanForm): Promise<void> {
    const plan = planOfForm(form, this.preview?.id);
    if (!plan.ok) {
      this.preview = null;
      return;
    }
    this.asked += 1;
    const turn = this.asked;
    try {
      const preview = await api.preview(plan.value);
      if (turn === this.asked) this.preview = preview;
    } catch (error) {
      if (turn === this.asked) this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  private readonly submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const plan = this.form && planOfForm(this.form, this.preview?.id);
    if (!plan?.ok || this.isBusy) return;
    this.isBusy = true;
    this.failure = null;
    try {
      const made = await api.deploy(plan.value);
      openPage(`/deployments/${made.id}`);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

function previewInWords({ sentence, groups, steps, warnings }: DeploymentPreview): TemplateResult {
  return html`
    <p><strong>${sentence}</strong></p>
    ${warnings.map((warning) => html`<p class="callout warn">${warning}</p>`)}
    <dl class="facts">
      ${groups.map(
        ({ group, from, devices, running, offline, held }) =>
          html`<div>
            <dt>${group}</dt>
            <dd>
              ${plural(devices, "device")}, target now
              ${from ?? "none"}${running > 0 ? `, ${running} run it already` : ""}${offline > 0 ? `, ${offline} offline` : ""}${held > 0 ? `, ${held} held` : ""}
            </dd>
          </div>`,
      )}
    </dl>
    <ol class="steps-preview">
      ${steps.map(
        ({ groups: names, devices }, index) =>
          html`<li>
            <strong>Step ${index + 1}</strong> ${names.join(", ")}: ${plural(devices.length, "device")}
            <p class="muted">
              ${devices.slice(0, MOST_NAMES).join(", ")}${devices.length > MOST_NAMES ? ` and ${devices.length - MOST_NAMES} more` : ""}
            </p>
          </li>`,
      )}
    </ol>
  `;
}

declare global {
  interface HTMLElementTagNameMap {
    "deploy-page": DeployPage;
  }
}
