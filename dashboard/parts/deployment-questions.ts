// The questions about a deployment, each saying exactly which devices change to what.
import type { Deployment, Device, SyncState } from "@context-edge/protocol";
import { html } from "lit";
import { plural } from "../format/numbers.ts";
import type { Steering } from "../live/allowed.ts";
import { api } from "../live/client.ts";
import { changeInWords, changingTo, devicesOf, membersOf, namesOf, runningVersion } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { ask, type Question } from "./ask.ts";
import { openPage } from "./open-page.ts";

export function askToDeployAll(
  from: HTMLElement,
  state: FleetState,
  version: string,
  gate: { is: "passed" } | { is: "overridden"; blockers: readonly string[] },
): void {
  const devices = devicesOf(state);
  const override = gate.is === "overridden";
  ask(from, {
    title: override ? `Deploy ${version} to all anyway?` : `Deploy ${version} to all groups?`,
    body: () =>
      html`<p><strong>${changeInWords(devices, version, "all groups")}</strong></p>
        <p class="muted">${namesOf(changingTo(devices, version))}</p>
        ${
          gate.is === "overridden"
            ? html`<div class="callout warn">
                <p>The gate has not passed:</p>
                <ul>
                  ${gate.blockers.map((blocker) => html`<li>${blocker}</li>`)}
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

/** The next step of a deployment in waves; with an override, although its gate has not passed. */
export function askToPromote(from: HTMLElement, deployment: Deployment, { override }: { override: boolean }): void {
  const { id, version, plan, step } = deployment;
  const next = plan.steps[step + 1];
  if (!next) return;
  const size = "count" in next.size ? plural(next.size.count, "device") : `${Math.round(next.size.share * 100)} %`;
  const where = next.groups.join(", ");
  ask(from, {
    title: override ? `Go on with ${version} anyway?` : `Go on with ${version}?`,
    body: () =>
      html`<p><strong>Step ${step + 2} of ${plan.steps.length}: ${size} of ${where} go to ${version}.</strong></p>
        ${override ? html`<p class="callout warn">${deployment.state_reason}. The gate has not passed.</p>` : html`<p class="muted">The gate has passed.</p>`}`,
    confirmLabel: () => `Go on to step ${step + 2}`,
    danger: override,
    ...(override ? { reason: "required" as const, reasonLabel: "Why go on without the gate?" } : {}),
    run: async (reason) => {
      const promoted = await api.promote(id, "next", override ? reason : undefined);
      return promoted.state_reason;
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

interface SteeringWords {
  label: string;
  /** What it means, and for which devices. */
  words: (members: readonly Device[], version: string) => string;
  done: string;
}

const named = (devices: readonly Device[], none: string, some: (names: string) => string) =>
  devices.length === 0 ? none : some(namesOf(devices));
const standing = (members: readonly Device[], sync: SyncState) => members.filter((device) => device.sync === sync);
const hasBegun = (device: Device) => Object.values(device.models).some(({ attempt }) => attempt !== null);

const STEERING: Record<Steering, SteeringWords> = {
  start: {
    label: "Start",
    words: (members, version) =>
      `Its first step goes to ${version}. ${members.length === 0 ? "" : `Groups with ${plural(members.length, "device")} follow it.`}`,
    done: "Started.",
  },
  pause: {
    label: "Pause",
    words: (members) =>
      named(
        standing(members, "pending").filter((device) => !hasBegun(device)),
        "Every device has begun; those under way finish.",
        (names) => `${names} stay on what they run. Devices under way finish.`,
      ),
    done: "Paused.",
  },
  resume: {
    label: "Resume",
    words: (members, version) =>
      named(
        standing(members, "pending"),
        "No device is waiting. Those that failed are left as they are.",
        (names) => `${names} go on to ${version}. Those that failed are left as they are.`,
      ),
    done: "Resumed.",
  },
  abort: {
    label: "Abort",
    words: (members, version) =>
      `Nobody else begins. ${named(
        members.filter((device) => runningVersion(device) === version),
        `No device runs ${version}.`,
        (names) => `${names} run ${version} and keep it.`,
      )}`,
    done: "Aborted.",
  },
  retry: {
    label: "Retry",
    words: (members, version) =>
      named(
        standing(members, "failed"),
        "No device failed or rolled back.",
        (names) => `${names} try ${version} once more.`,
      ),
    done: "Trying again.",
  },
};

export function askToSteer(from: HTMLElement, state: FleetState, deployment: Deployment, action: Steering): void {
  const { label, words, done } = STEERING[action];
  const members = membersOf(state, deployment);
  const question: Question = {
    title: `${label} ${deployment.version} on ${deployment.groups.join(", ")}?`,
    body: () => html`<p>${words(members, deployment.version)}</p>`,
    confirmLabel: () => label,
    danger: action === "abort",
    reason: "optional",
    run: async (reason) => {
      await api.steer(deployment.id, action, reason);
      return done;
    },
  };
  ask(from, question);
}
