// Every version of the model, those that wait for review first.
import type { Version } from "@context-edge/protocol";
import { html, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { bytes, count, percentWithDelta, plural } from "../format/numbers.ts";
import { day } from "../format/time.ts";
import { versionsOf } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { badge, STAGE_TONE } from "../parts/tones.ts";
import { PageElement } from "./page-element.ts";

@customElement("models-page")
export class ModelsPage extends PageElement {
  protected override page(state: FleetState): TemplateResult {
    const versions = versionsOf(state);
    const pending = versions.filter(({ stage }) => stage === "pending");
    const others = versions.filter(({ stage }) => stage !== "pending");
    return html`
      <h1>Models</h1>
      <section aria-labelledby="pending">
        <h2 id="pending">Waiting for review</h2>
        ${pending.length > 0 ? table(pending, "Review") : html`<p class="card quiet-card">Nothing waits for review.</p>`}
      </section>
      <section aria-labelledby="reviewed">
        <h2 id="reviewed">Reviewed</h2>
        ${others.length > 0 ? table(others, "Details of") : html`<p class="card quiet-card">Nothing was reviewed yet.</p>`}
      </section>
    `;
  }
}

function table(versions: readonly Version[], verb: "Review" | "Details of"): TemplateResult {
  return html`<div class="table-wrap" tabindex="0">
    <table class="folds">
      <thead>
        <tr>
          <th>Version</th>
          <th>Stage</th>
          <th>Accuracy</th>
          <th>Training samples</th>
          <th>Trained</th>
          <th>Size</th>
          <th>Signed</th>
          <th>Runs on</th>
          <th><span class="visually-hidden">Action</span></th>
        </tr>
      </thead>
      <tbody>
        ${versions.map(
          (version) =>
            html`<tr>
              <td>
                <a href="/models/${version.version_id}"><strong>${version.version_id}</strong></a>
              </td>
              <td>${badge(STAGE_TONE[version.stage], version.stage)}</td>
              <td data-name="accuracy">${percentWithDelta(version.accuracy, version.accuracy_delta)}</td>
              <td class="number" data-name="samples">${count(version.training_samples)}</td>
              <td data-name="trained">${day(version.training_date)}</td>
              <td class="number">${bytes(version.size_bytes)}</td>
              <td>
                ${version.signed_by ? html`<code title=${version.signed_by}>${version.signed_by.slice(0, 8)}</code>` : badge("warn", "unsigned")}
              </td>
              <td data-name="runs on">${version.running_on > 0 ? plural(version.running_on, "device") : "–"}</td>
              <td>
                <a class="button" href="/models/${version.version_id}" aria-label="${verb} ${version.version_id}"
                  >${verb === "Review" ? verb : "Details"}</a
                >
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "models-page": ModelsPage;
  }
}
