// Questions about devices: moving several, pinning one to a version, taking one out of service. Each says exactly what will change.
import { DEFAULT_MODEL, type Device } from "@context-edge/protocol";
import { html } from "lit";
import { plural } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { changeInWords, changingTo, namesOf, versionsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { ask } from "./ask.ts";
import { openPage } from "./open-page.ts";

/** @param done told when they have moved. */
export function askToMove(
  from: HTMLElement,
  state: FleetState,
  devices: readonly Device[],
  to: string,
  done: () => void = () => undefined,
): void {
  const target = state.groups[to]?.targets[DEFAULT_MODEL]?.version;
  const who = devices.length === 1 ? (devices[0]?.id ?? "") : plural(devices.length, "device");
  ask(from, {
    title: `Move ${who} to ${to}?`,
    body: () =>
      html`<p>
          <strong
            >${target ? changeInWords(devices, target, to) : `${to} has no target: the devices keep what they run.`}</strong
          >
        </p>
        <p class="muted">${namesOf(target ? changingTo(devices, target) : devices)}</p>`,
    confirmLabel: () => `Move to ${to}`,
    run: async () => {
      let moved = 0;
      try {
        for (const { id } of devices) {
          await api.move(id, to);
          moved += 1;
        }
      } catch (error) {
        if (moved === 0) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`${moved} of ${devices.length} moved, then: ${why}`, { cause: error });
      }
      done();
      return `${who} ${devices.length === 1 ? "is" : "are"} in ${to} now.`;
    },
  });
}

/** A device that must stay on one version: it follows a group of its own until it is unpinned. */
export function askToPin(from: HTMLElement, state: FleetState, device: Device): void {
  const running = device.models[DEFAULT_MODEL]?.current?.version ?? "";
  const versions = versionsOf(state).filter(({ stage }) => stage === "approved");
  let version = versions.some(({ version_id: id }) => id === running) ? running : (versions[0]?.version_id ?? "");
  ask(from, {
    title: `Pin ${device.id} to a version`,
    body: () =>
      html`<label class="field"
          ><span>Version</span>
          <select
            @change=${(event: Event) => {
              version = (event.target as HTMLSelectElement).value;
            }}
          >
            ${versions.map(({ version_id: id }) => html`<option value=${id} ?selected=${id === version}>${id}${id === running ? " (runs now)" : ""}</option>`)}
          </select></label
        >
        <p><strong>${version === "" ? "" : changeInWords([device], version, device.group)}</strong></p>
        <p class="muted">
          It leaves ${device.group}, and no deployment there changes it until it is unpinned; then it goes back.
        </p>`,
    confirmLabel: () => `Pin to ${version}`,
    obstacle: () => (version === "" ? "There is no approved version." : null),
    reason: "required",
    run: async (reason) => {
      await api.pin(device.id, version, reason);
      return `${device.id} is pinned to ${version}.`;
    },
  });
}

export function askToUnpin(from: HTMLElement, state: FleetState, device: Device): void {
  const home = device.home_group ?? "default";
  const target = state.groups[home]?.targets[DEFAULT_MODEL]?.version;
  ask(from, {
    title: `Unpin ${device.id}?`,
    body: () =>
      html`<p>
        <strong
          >It goes back to ${home}. ${target ? changeInWords([device], target, home) : "It keeps what it runs."}</strong
        >
      </p>`,
    confirmLabel: () => "Unpin",
    run: async () => {
      await api.unpin(device.id);
      return `${device.id} is back in ${home}.`;
    },
  });
}

export function askToDecommission(from: HTMLElement, device: Device): void {
  ask(from, {
    title: `Decommission ${device.id}?`,
    body: () =>
      html`<p>
          <strong>Its credential becomes void at once, and no deployment counts it any more.</strong> It keeps running
          ${device.models[DEFAULT_MODEL]?.current?.version ?? "what it has"}.
        </p>
        <p class="muted">An admin may admit it again; it then enrols anew with a join token.</p>`,
    confirmLabel: () => "Decommission",
    danger: true,
    reason: "required",
    reasonLabel: "Why is it taken out of service?",
    run: async (reason) => {
      await api.decommission(device.id, reason);
      openPage("/devices");
      return `${device.id} is decommissioned.`;
    },
  });
}
