// The questions about a version: approve, reject, and which devices become the pilot.
import type { Version } from "@context-edge/protocol";
import { html, nothing } from "lit";
import { percentWithDelta, plural } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { changeInWords, devicesOf, runningVersion } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { openPage } from "./open-page.ts";
import { ask } from "./ask.ts";

export function askToApprove(from: HTMLElement, version: Version): void {
  ask(from, {
    title: `Approve ${version.version_id}?`,
    body: () =>
      html`<p>
        Accuracy ${percentWithDelta(version.accuracy, version.accuracy_delta)}. It may then be deployed; no device
        changes yet.
      </p>`,
    confirmLabel: () => "Approve",
    run: async () => (await api.approve(version.version_id)).message,
  });
}

export function askToReject(from: HTMLElement, version: Version): void {
  ask(from, {
    title: `Reject ${version.version_id}?`,
    body: () => html`<p>It can never be deployed afterwards. The training side reads the reason.</p>`,
    confirmLabel: () => "Reject",
    danger: true,
    reason: "required",
    run: async (reason) => (await api.reject(version.version_id, reason)).message,
  });
}

export function askToArchive(from: HTMLElement, version: Version): void {
  ask(from, {
    title: `Archive ${version.version_id}?`,
    body: () =>
      html`<p>
        It can no longer be deployed or gone back to, and its files are removed after some days. It can be unarchived as
        long as they are there.
      </p>`,
    confirmLabel: () => `Archive ${version.version_id}`,
    danger: true,
    reason: "optional",
    run: async (reason) => `${(await api.archive(version.version_id, reason)).version_id} is archived.`,
  });
}

export function askToUnarchive(from: HTMLElement, version: Version): void {
  ask(from, {
    title: `Unarchive ${version.version_id}?`,
    body: () => html`<p>It waits for review again. Where its files were removed, the hub asks for them.</p>`,
    confirmLabel: () => `Unarchive ${version.version_id}`,
    run: async () => `${(await api.unarchive(version.version_id)).version_id} waits for review again.`,
  });
}

const FEW = 12;
const MOST_CHOICES = 100;

export function askToDeployPilot(from: HTMLElement, state: FleetState, version: Version): void {
  const devices = devicesOf(state);
  const chosen = new Set(devices.filter((device) => device.group === "pilot").map((device) => device.id));
  const leaving = () => devices.filter((device) => device.group === "pilot" && !chosen.has(device.id));
  const toggle = (id: string, isChosen: boolean) => (isChosen ? chosen.add(id) : chosen.delete(id));
  let text = "";
  /** Of thousands nobody ticks boxes one by one: those that are chosen, and the first that fit the text. */
  const shown = () =>
    devices.filter(({ id, group }) => chosen.has(id) || `${id} ${group}`.includes(text)).slice(0, MOST_CHOICES);
  ask(from, {
    title: `Deploy ${version.version_id} to the pilot`,
    body: () => html`
      <p>These devices become the pilot group:</p>
      ${
        devices.length > FEW
          ? html`<label class="field"
              ><span>Find devices by id or group</span>
              <input
                type="search"
                .value=${text}
                @input=${(event: InputEvent) => {
                  text = (event.target as HTMLInputElement).value.trim();
                  event.target?.dispatchEvent(new Event("change", { bubbles: true }));
                }}
            /></label>`
          : nothing
      }
      <fieldset class="choices">
        <legend class="visually-hidden">Pilot devices</legend>
        ${shown().map(
          (device) =>
            html`<label>
              <input
                type="checkbox"
                .checked=${chosen.has(device.id)}
                @change=${(event: Event) => toggle(device.id, (event.target as HTMLInputElement).checked)}
              />
              <span>${device.id}</span>
              <small class="muted"
                >${device.group}, ${runningVersion(device) ?? "nothing"}${device.online ? "" : ", offline"}</small
              >
            </label>`,
        )}
      </fieldset>
      <p>
        <strong
          >${changeInWords(
            devices.filter((device) => chosen.has(device.id)),
            version.version_id,
            "the pilot",
          )}</strong
        >
        ${version.stage === "pending" ? "This approves the version in your name." : ""}
        ${
          leaving().length > 0
            ? `${leaving()
                .map((device) => device.id)
                .join(", ")} leave the pilot for the group they came from.`
            : ""
        }
      </p>
    `,
    confirmLabel: () => `Deploy to ${plural(chosen.size, "device")}`,
    obstacle: () => (chosen.size === 0 ? "Choose at least one device." : null),
    run: async () => {
      const reply = await api.deployPilot(version.version_id, [...chosen]);
      // The router listens to the address; a click is the one way it hears of a new one.
      openPage(`/deployments/${reply.deployment_id}`);
      return reply.message;
    },
  });
}
