// Reviewing one version: its figures beside the running one's, what training sent along, and the decision.
import type { Version } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { bytes, count, percent, percentWithDelta, plural, pointsBetween, shortDigest } from "../format/numbers.ts";
import { day } from "../format/time.ts";
import { whyNotAct, whyNotDeploy, whyNotReview } from "../live/allowed.ts";
import { deploymentsOf, mostlyRunning } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { actionButton } from "../parts/action-button.ts";
import { askToApprove, askToDeployPilot, askToReject } from "../parts/review-questions.ts";
import { badge, DEPLOYMENT_TONE, DEPLOYMENT_WORDS, STAGE_TONE } from "../parts/tones.ts";
import { trainingDetails } from "../parts/training-details.ts";
import { PageElement } from "./page-element.ts";

@customElement("version-page")
export class VersionPage extends PageElement {
  @property() version = "";

  protected override page(state: FleetState): TemplateResult {
    const version = state.versions[`default/${this.version}`];
    if (!version)
      return html`<h1>${this.version}</h1>
        <p>There is no such version. <a href="/models">See all versions</a>.</p>`;
    const running = mostlyRunning(state);
    const other = running && running.version_id !== version.version_id ? running : undefined;
    const history = deploymentsOf(state).filter((deployment) => deployment.version === version.version_id);
    return html`
      <p class="crumbs"><a href="/models">Models</a> /</p>
      <header class="page-head">
        <h1>${version.version_id} ${badge(STAGE_TONE[version.stage], version.stage)}</h1>
        <div class="actions">${this.renderActions(state, version)}</div>
      </header>
      ${version.decision_reason ? html`<p class="muted">${version.decided_by}: ${version.decision_reason}</p>` : nothing}
      <section class="card" aria-labelledby="figures">
        <h2 id="figures">
          Figures ${other ? html`<small class="muted">beside ${other.version_id}, which runs now</small>` : nothing}
        </h2>
        ${comparison(version, other)}
      </section>
      ${trainingDetails(version.metrics, other?.metrics ?? null)}
      <section class="card" aria-labelledby="file">
        <h2 id="file">File and signature</h2>
        <dl class="facts">
          ${version.variants.map(
            (variant) =>
              html`<div>
                <dt>Variant</dt>
                <dd>
                  ${variant.format}, ${bytes(variant.size_bytes)},
                  <code title=${variant.digest}>${shortDigest(variant.digest)}</code>, fits
                  ${platformInWords(variant.platform)}
                </dd>
              </div>`,
          )}
          <div>
            <dt>Release signature</dt>
            <dd>
              ${version.signed_by ? html`by key <code>${shortDigest(version.signed_by)}</code>` : "none: devices would refuse it"}
            </dd>
          </div>
          <div>
            <dt>Registered</dt>
            <dd><time-ago at=${version.registered_at}></time-ago> by ${version.registered_by}</dd>
          </div>
          <div>
            <dt>Runs on</dt>
            <dd>${plural(version.running_on, "device")}</dd>
          </div>
        </dl>
      </section>
      <section class="card" aria-labelledby="history">
        <h2 id="history">Deployments</h2>
        ${history.length === 0 ? html`<p class="muted">It was never deployed.</p>` : nothing}
        <ul class="plain">
          ${history.map(
            (deployment) =>
              html`<li>
                ${badge(DEPLOYMENT_TONE[deployment.state], DEPLOYMENT_WORDS[deployment.state])}
                <a href="/deployments/${deployment.id}">${deployment.groups.join(", ")}</a>
                <time-ago at=${deployment.created_at}></time-ago> <span class="muted">${deployment.state_reason}</span>
              </li>`,
          )}
        </ul>
      </section>
    `;
  }

  private renderActions(state: FleetState, version: Version): TemplateResult {
    const why = whyNotAct(state.session, "review") ?? whyNotReview(version);
    return html`
      ${actionButton({ label: "Reject", why, onClick: () => askToReject(this, version) })}
      ${actionButton({ label: "Approve", why, onClick: () => askToApprove(this, version) })}
      ${actionButton({
        label: "Deploy to pilot",
        tone: "primary",
        why: whyNotAct(state.session, "deploy") ?? whyNotDeploy(version),
        onClick: () => askToDeployPilot(this, state, version),
      })}
    `;
  }
}

function comparison(version: Version, other: Version | undefined): TemplateResult {
  const rate = (of: Version | undefined, key: "false_positive_rate" | "false_negative_rate") =>
    of?.metrics[key] ?? null;
  const rows: [string, number | null, number | null][] = [
    ["Accuracy", version.accuracy, other?.accuracy ?? null],
    ["False positive rate", rate(version, "false_positive_rate"), rate(other, "false_positive_rate")],
    ["False negative rate", rate(version, "false_negative_rate"), rate(other, "false_negative_rate")],
  ];
  return html`<div class="table-wrap" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Measured by training</th>
          <th>${version.version_id}</th>
          ${
            other
              ? html`<th>${other.version_id}</th>
                  <th>Difference</th>`
              : nothing
          }
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, value, before]) =>
            html`<tr>
              <td>${name}</td>
              <td class="number"><strong>${percent(value)}</strong></td>
              ${
                other
                  ? html`<td class="number">${percent(before)}</td>
                      <td class="number">${value !== null && before !== null ? pointsBetween(value, before) : "–"}</td>`
                  : nothing
              }
            </tr>`,
        )}
        <tr>
          <td>Training samples</td>
          <td class="number">${count(version.training_samples)}</td>
          ${
            other
              ? html`<td class="number">${count(other.training_samples)}</td>
                  <td></td>`
              : nothing
          }
        </tr>
        <tr>
          <td>Trained</td>
          <td class="number">${day(version.training_date)}</td>
          ${
            other
              ? html`<td class="number">${day(other.training_date)}</td>
                  <td></td>`
              : nothing
          }
        </tr>
        <tr>
          <td>Size</td>
          <td class="number">${bytes(version.size_bytes)}</td>
          ${
            other
              ? html`<td class="number">${bytes(other.size_bytes)}</td>
                  <td></td>`
              : nothing
          }
        </tr>
      </tbody>
    </table>
    <p class="visually-hidden">Accuracy ${percentWithDelta(version.accuracy, version.accuracy_delta)}</p>
  </div>`;
}

function platformInWords(platform: Version["variants"][number]["platform"]): string {
  const needs = Object.entries(platform).map(([key, value]) => `${key} ${value}`);
  return needs.length === 0 ? "every device" : needs.join(", ");
}

declare global {
  interface HTMLElementTagNameMap {
    "version-page": VersionPage;
  }
}
