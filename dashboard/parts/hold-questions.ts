// Holding a device as it is, and letting it go again: who asks says why, and the device keeps it through a lost connection.
import type { Device } from "@context-edge/protocol";
import { html } from "lit";
import { absolute } from "../format/time.ts";
import { plural } from "../format/numbers.ts";
import { api } from "../live/client.ts";
import { ask } from "./ask.ts";

const HOURS = [1, 4, 8, 24, 72];

export function askToHold(from: HTMLElement, device: Device): void {
  let hours = 4;
  const runs = device.models["default"]?.current?.version ?? "nothing";
  ask(from, {
    title: `Hold ${device.id} as it is?`,
    body: () =>
      html`<p>
          It keeps running <strong>${runs}</strong>, and begins nothing new until the hold ends or is ended here.
        </p>
        <label class="field"
          ><span>For</span>
          <select
            @change=${(event: Event) => {
              if (event.target instanceof HTMLSelectElement) hours = Number(event.target.value);
            }}
          >
            ${HOURS.map((each) => html`<option value=${each} ?selected=${each === hours}>${plural(each, "hour")}</option>`)}
          </select></label
        >`,
    confirmLabel: () => `Hold ${device.id}`,
    reason: "required",
    run: async (reason) => {
      const held = await api.hold(device.id, { hours, reason });
      return `${device.id} is held until ${absolute(held.hold?.until ?? "")}.`;
    },
  });
}

export function askToRelease(from: HTMLElement, device: Device): void {
  const target = device.models["default"]?.target?.version;
  ask(from, {
    title: `End the hold of ${device.id}?`,
    body: () =>
      html`<p>
          ${target ? html`It goes on to <strong>${target}</strong> when it may.` : "Its group wants nothing at present."}
        </p>
        <p class="muted">A hold that was set at the device itself ends only there, or by its time.</p>`,
    confirmLabel: () => "End the hold",
    run: async () => {
      const { hold } = await api.hold(device.id, null);
      return hold
        ? `${device.id} is still held at the device itself, until ${absolute(hold.until)}.`
        : `The hold of ${device.id} is ended.`;
    },
  });
}
