// What a person at the device may do, as plain forms with the PIN in each: ask the hub now, hold, end the hold, go back to the backup.
import type { ModelName } from "@context-edge/protocol";
import { instant } from "../../core/instant.ts";
import { HOLD_HOURS } from "../orders.ts";
import type { ModelStatus, StatusDocument } from "../document.ts";
import { clockTime, duration } from "../format.ts";
import { attribute, html, idOf, type Piece } from "../markup.ts";

export interface ActionView {
  /** Milliseconds until the PIN is accepted again; 0 when it is. */
  lockedMs: number;
}

export function actionsSection(status: StatusDocument, { lockedMs }: ActionView): Piece {
  return [
    html`<section class="card actions" id="actions" data-live>
      <h2>Actions</h2>
      ${status.can_act ? (lockedMs > 0 ? locked(lockedMs) : forms(status)) : readOnly()}
      <p class="diagnostics">
        <a class="button quiet" id="diagnostics" href="/diagnostics.zip" download>Download diagnostics</a>
        <span class="soft">A zip file for support. It holds no PIN, key or password.</span>
      </p>
    </section>`,
  ];
}

function readOnly(): Piece {
  return [
    html`<p class="soft">
      This page only shows. To check, hold or roll back from here, set a PIN for the agent (AGENT_PIN_FILE), or use
      <code>context-edge-agent</code> on the device.
    </p>`,
  ];
}

export function locked(lockedMs: number): Piece {
  return [
    html`<div class="notice bad" role="status">
      <h3>The PIN is locked</h3>
      <p>It was wrong too often. It is accepted again in ${duration(lockedMs)}.</p>
      <p class="next"><b>What to do:</b> Wait, then reload this page. Nothing was changed.</p>
    </div>`,
  ];
}

function forms(status: StatusDocument): Piece {
  const { hold, at } = status;
  const ownHold = hold?.by === "device" ? hold : null;
  return [
    action("check", "Check now", "Asks the hub at once instead of at the next poll.", [
      html`${pinField("check")}<button type="submit">Check now</button>`,
    ]),
    action(
      "hold",
      ownHold ? "Change the hold" : "Hold",
      "Nothing new is installed for a while. What runs goes on running.",
      [
        html`<label class="field" for="hold-hours">
            For how long
            <select id="hold-hours" name="hours">
              ${HOLD_HOURS.map((hours) => html`<option value="${String(hours)}" ${hours === 4 ? ["selected"] : []}>${duration(hours * 3_600_000)}</option>`)}
            </select>
          </label>
          <label class="field" for="hold-reason">
            Reason (may be left empty)
            <input id="hold-reason" name="reason" maxlength="200" autocomplete="off" />
          </label>
          ${pinField("hold")}<button type="submit">Hold this device</button>`,
      ],
    ),
    ...(ownHold
      ? [
          action("release", "End the hold", `It would end ${clockTime(ownHold.until, instant(at))} by itself.`, [
            html`${pinField("release")}<button type="submit">End the hold</button>`,
          ]),
        ]
      : []),
    ...Object.entries(status.models).flatMap(([name, model]) => rollbackLink(name, model, status)),
  ];
}

function action(name: string, title: string, help: string, fields: Piece): string {
  return html`<details class="action" id="act-${name}">
    <summary>${title}</summary>
    <p class="soft">${help}</p>
    <form method="post" action="/actions/$${name}">${fields}</form>
  </details>`;
}

export function pinField(name: string): Piece {
  return [
    html`<label class="field" for="pin-${name}">
      PIN
      <input
        id="pin-${name}"
        name="pin"
        type="password"
        inputmode="numeric"
        autocomplete="off"
        maxlength="32"
        required
      />
    </label>`,
  ];
}

function rollbackLink(name: ModelName, { current, backup, attempt }: ModelStatus, { models }: StatusDocument): Piece {
  const of = Object.keys(models).length > 1 ? ` (${name})` : "";
  const off = (why: string) => [html`<p class="row off">Roll back${of}: ${why}</p>`];
  if (!current || !backup) return off("there is no backup to go back to.");
  if (attempt) return off("an installation is under way; it goes back by itself if it fails.");
  const href = attribute(`/rollback/${encodeURIComponent(name)}`);
  return [
    html`<a class="row" id="${idOf(`rollback-${name}`)}" href="$${href}">Roll back to ${backup.version}${of}…</a>`,
  ];
}
