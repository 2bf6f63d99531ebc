// The way of a deployment: its steps with how much of which groups each takes, the gate between them, and where it stands.
import type { Deployment, Step } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { absolute } from "../format/time.ts";
import { spanInWords } from "../format/time.ts";

type Stand = "done" | "now" | "ahead" | "stopped";

const STAND_WORDS: Record<Stand, string> = { done: "done", now: "under way", ahead: "ahead", stopped: "stopped here" };

/** A plan of one step at once has no way to show. */
export function deploymentSteps(deployment: Deployment): TemplateResult | typeof nothing {
  const { plan, kind } = deployment;
  if (plan.steps.length < 2 && plan.gate === null && plan.start_at === null) return nothing;
  const gate = plan.gate;
  return html`<ol class="way" aria-label="Steps">
    ${
      plan.start_at
        ? html`<li class="gate-point ${deployment.state === "scheduled" ? "now" : "done"}">
            <span>Begins ${absolute(plan.start_at)}</span>
          </li>`
        : nothing
    }
    ${plan.steps.map((step, index) => {
      const stand = standOf(deployment, index);
      const isLast = index === plan.steps.length - 1;
      return html`<li class="step ${stand}" aria-current=${stand === "now" ? "step" : nothing}>
          <strong>${sizeInWords(step)}</strong>
          <span class="muted">${step.groups.join(", ")}</span>
          <span class="visually-hidden">${STAND_WORDS[stand]}</span>
        </li>
        ${
          gate && (!isLast || plan.watch_last || kind === "pilot")
            ? html`<li class="gate-point ${gateStand(deployment, index)}">
                <span>watched ${spanInWords(gate.soak_seconds)}</span>
              </li>`
            : nothing
        }`;
    })}
    ${kind === "pilot" ? html`<li class="step ${deployment.state === "finished" ? "done" : "ahead"}"><strong>All groups</strong></li>` : nothing}
  </ol>`;
}

function standOf({ step, state, shares }: Deployment, index: number): Stand {
  if (Object.keys(shares).length === 0) return "ahead";
  if (index < step || state === "finished") return "done";
  if (index > step) return "ahead";
  if (state === "running") return "now";
  return state === "soaking" || state === "awaiting-approval" ? "done" : "stopped";
}

function gateStand({ step, state }: Deployment, index: number): Stand {
  if (index < step || state === "finished") return "done";
  if (index > step) return "ahead";
  if (state === "soaking") return "now";
  if (state === "awaiting-approval") return "done";
  return state === "running" ? "ahead" : "stopped";
}

function sizeInWords({ size }: Step): string {
  if ("count" in size) return size.count === 1 ? "1 device" : `${size.count} devices`;
  return size.share >= 1 ? "Everybody" : `${Math.round(size.share * 100)} %`;
}
