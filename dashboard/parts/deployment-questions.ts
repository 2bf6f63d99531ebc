// The questions about a deployment, each saying exactly which devices change to what.
import type { Deployment, PilotMetrics } from "@context-edge/protocol";
import { html } from "lit";
import { plural } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { changeInWords, devicesOf, membersOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { ask, type Question } from "./ask.ts";
import { openPage } from "./review-questions.ts";

export function askToDeployAll(
  from: HTMLElement,
  state: FleetState,
  version: string,
  override: boolean,
  blockers: readonly string[],
): void {
  const devices = devicesOf(state);
  ask(from, {
    title: override ? `Deploy ${version} to all anyway?` : `Deploy ${version} to all groups?`,
    body: () =>
      html`<p><strong>${changeInWords(devices, version, "all groups")}</strong></p>
        ${
          override
            ? html`<div class="callout warn">
                <p>The gate has not passed:</p>
                <ul>
                  ${blockers.map((blocker) => html`<li>${blocker}</li>`)}
                </ul>
              </div>`
            : html`<p class="muted">The pilot's gate has passed.</p>`
        }`,
    confirmLabel: () => `Deploy to ${plural(devices.length, "device")}`,
    danger: override,
    ...(override ? { reason: "required" as const, reasonLabel: "Why deploy without the gate?" } : {}),
    run: async (reason) => {
      const reply = await api.deployAll(version, override ? reason : undefined);
      openPage(`/deployments/${reply.deployment_id}`);
      return reply.message;
    },
  });
}

export function askToRollBack(from: HTMLElement, state: FleetState, deployment: Deployment): void {
  const members = membersOf(state, deployment);
  ask(from, {
    title: `Roll back ${deployment.version}?`,
    body: () =>
      html`<ul class="plain">
        ${deployment.groups.map((group) => {
          const before = deployment.previous[group];
          const mine = members.filter((device) => device.group === group);
          return html`<li>
            ${before ? changeInWords(mine, before, group) : `${group} had no version before and keeps ${deployment.version}.`}
          </li>`;
        })}
      </ul>`,
    confirmLabel: () => "Roll back",
    danger: true,
    reason: "optional",
    run: async (reason) => {
      const next = await api.steer(deployment.id, "rollback", reason);
      openPage(`/deployments/${next.id}`);
      return `Rolling back to ${next.version}.`;
    },
  });
}

type Steering = "pause" | "resume" | "abort" | "retry";

const STEERING: Record<Steering, { label: string; words: string; done: string; danger: boolean }> = {
  pause: {
    label: "Pause",
    words: "Devices that have not begun stay where they are; those under way finish.",
    done: "Paused.",
    danger: false,
  },
  resume: {
    label: "Resume",
    words: "Devices that have not begun will begin. Those that failed are left as they are.",
    done: "Resumed.",
    danger: false,
  },
  abort: {
    label: "Abort",
    words: "Nobody else begins. Devices that run the version keep it.",
    done: "Aborted.",
    danger: true,
  },
  retry: {
    label: "Retry",
    words: "Devices that failed or rolled back try the version once more.",
    done: "Trying again.",
    danger: false,
  },
};

export function askToSteer(from: HTMLElement, deployment: Deployment, action: Steering): void {
  const { label, words, done, danger } = STEERING[action];
  const question: Question = {
    title: `${label} ${deployment.version} on ${deployment.groups.join(", ")}?`,
    body: () => html`<p>${words}</p>`,
    confirmLabel: () => label,
    danger,
    reason: "optional",
    run: async (reason) => {
      await api.steer(deployment.id, action, reason);
      return done;
    },
  };
  ask(from, question);
}

/** Why all groups cannot have it yet; null when they can. */
export function whyNotAll(deployment: Deployment, metrics: PilotMetrics | null): string | null {
  if (deployment.kind !== "pilot") return "Only a pilot goes on to all groups.";
  if (deployment.state === "finished") return "It went on to all groups already.";
  if (!metrics) return "Asking the hub …";
  return metrics.can_deploy_to_all ? null : metrics.blockers.join("; ") || "The gate has not passed.";
}
