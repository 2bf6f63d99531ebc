// The page between the wish to roll back and the rollback: exactly what changes to what, and what happens then.
import type { ModelName } from "@context-edge/protocol";
import type { ModelStatus, StatusDocument } from "./document.ts";
import { digestTag, html, icon } from "./markup.ts";
import { shell } from "./page.ts";
import { locked, pinField } from "./sections/actions.ts";

/** @returns a whole document, also when there is nothing to go back to */
export function confirmPage(status: StatusDocument, model: ModelName, lockedMs: number): string {
  const slots = status.models[model];
  const body = slots?.current && slots.backup ? question(model, slots, lockedMs) : impossible(model);
  return shell({
    title: `Roll back · ${status.device}`,
    status,
    body: [html`<div class="narrow">${body}</div>`],
    flash: [],
  });
}

function question(model: ModelName, { current, backup, link }: ModelStatus, lockedMs: number): string[] {
  if (!current || !backup) return [];
  const form = html`<form method="post" action="/actions/rollback">
    <input type="hidden" name="model" value="${model}" />
    <input type="hidden" name="from" value="${current.digest}" />
    <input type="hidden" name="to" value="${backup.digest}" />
    ${pinField("rollback")}
    <button class="danger" type="submit">Yes, put ${backup.version} back</button>
    <a class="button quiet" href="/">No, leave it as it is</a>
  </form>`;
  return [
    html`<section class="card confirm" id="confirm">
      <h1>${icon("bad")} Roll back ${model === "default" ? "" : `${model} `}to ${backup.version}?</h1>
      <div class="change">
        <div class="slot">
          <h2>Runs now</h2>
          <p class="version">${current.version}</p>
          ${digestTag(current.digest, "from")}
        </div>
        <p class="arrow" aria-hidden="true">→</p>
        <div class="slot">
          <h2>Runs after it</h2>
          <p class="version">${backup.version}</p>
          ${digestTag(backup.digest, "to")}
        </div>
      </div>
      <h2>What happens</h2>
      <ol>
        <li><code>${link}</code> is pointed from ${current.version} to ${backup.version}.</li>
        <li>
          The inference service loads ${backup.version}: it may not answer for some seconds, or for a minute or two.
        </li>
        <li>${backup.version} is tested, and the hub is told.</li>
        <li>${current.version} is refused on this device until an engineer retries its deployment.</li>
      </ol>
      ${lockedMs > 0 ? locked(lockedMs) : [form]}
    </section>`,
  ];
}

function impossible(model: ModelName): string[] {
  return [
    html`<section class="card" id="confirm">
      <h1>There is nothing to go back to</h1>
      <p>This device has no backup of the model ${model}. Nothing was changed.</p>
      <p class="next"><b>What to do:</b> Ask an engineer to deploy another version.</p>
      <p><a class="button" href="/">Back to the status</a></p>
    </section>`,
  ];
}
