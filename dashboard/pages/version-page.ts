// Reviewing one version: its figures beside the running one's, what training sent along, and the decision.
import { recipeWords, type Version } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { bytes, percentWithDelta, plural, shortDigest } from "../format/numbers.ts";
import { type Fits, fitsInWords, fitsOf } from "../live/fits.ts";
import { whyNotAct, whyNotArchive, whyNotDeploy, whyNotReview } from "../live/allowed.ts";
import { deploymentsOf, devicesOf, mostlyRunning } from "../live/select.ts";
import type { FleetState } from "../live/state.ts";
import { openPage } from "../parts/open-page.ts";
import { actionButton } from "../parts/action-button.ts";
import {
  askToApprove,
  askToArchive,
  askToDeployPilot,
  askToReject,
  askToUnarchive,
} from "../parts/review-questions.ts";
import { badge, deploymentBadge, STAGE_TONE } from "../parts/tones.ts";
import { comparison } from "../parts/comparison.ts";
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
    const fits = fitsOf(version, devicesOf(state));
    const history = deploymentsOf(state).filter((deployment) => deployment.version === version.version_id);
    return html`
      <p class="crumbs"><a href="/models">Models</a> /</p>
      <header class="page-head">
        <h1>${version.version_id} ${badge(STAGE_TONE[version.stage], version.stage)}</h1>
        <div class="actions">${this.renderActions(state, version)}</div>
      </header>
      <p class="lead">
        Accuracy ${percentWithDelta(version.accuracy, version.accuracy_delta)}; ${fitsInWords(fits)}. Registered
        <time-ago at=${version.registered_at}></time-ago> by ${version.registered_by}.
      </p>
      ${version.decision_reason ? html`<p class="muted">${version.decided_by}: ${version.decision_reason}</p>` : nothing}
      <section class="card" aria-labelledby="figures">
        <h2 id="figures">
          Figures ${other ? html`<small class="muted">beside ${other.version_id}, which runs now</small>` : nothing}
        </h2>
        ${comparison(version, other)}
      </section>
      ${trainingDetails(version.metrics, other?.metrics ?? null)} ${variantsCard(version, fits)}
      <section class="card" aria-labelledby="file">
        <h2 id="file">Statement and signature</h2>
        <dl class="facts">
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
                ${deploymentBadge(deployment)}
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
      ${
        version.stage === "archived"
          ? actionButton({
              label: "Unarchive",
              why: whyNotAct(state.session, "unarchive"),
              onClick: () => askToUnarchive(this, version),
            })
          : actionButton({
              label: "Archive",
              why: whyNotAct(state.session, "archive") ?? whyNotArchive(version),
              onClick: () => askToArchive(this, version),
            })
      }
      ${actionButton({ label: "Reject", why, onClick: () => askToReject(this, version) })}
      ${actionButton({ label: "Approve", why, onClick: () => askToApprove(this, version) })}
      ${actionButton({
        label: "Deploy in steps …",
        why: whyNotAct(state.session, "deploy") ?? whyNotDeploy(version),
        onClick: () => openPage(`/models/${version.version_id}/deploy`),
      })}
      ${actionButton({
        label: "Deploy to pilot",
        tone: "primary",
        why: whyNotAct(state.session, "deploy") ?? whyNotDeploy(version),
        onClick: () => askToDeployPilot(this, state, version),
      })}
    `;
  }
}

/** Each file with the devices that would choose it, and whoever has none. */
function variantsCard(version: Version, fits: Fits): TemplateResult {
  return html`<section class="card" aria-labelledby="variants">
    <h2 id="variants">Variants against the fleet</h2>
    <div class="table-wrap" tabindex="0">
      <table>
        <thead>
          <tr>
            <th>File</th>
            <th>Needs</th>
            <th>Size</th>
            <th>sha256</th>
            <th>Devices that would run it</th>
          </tr>
        </thead>
        <tbody>
          ${version.variants.map(
            ({ digest, format, size_bytes: size, platform, build }) =>
              html`<tr>
                <td>
                  model-${version.version_id}.${format}
                  ${build ? html`<span class="muted">built on each device: ${recipeWords(build)}</span>` : nothing}
                </td>
                <td>${platformInWords(platform)}</td>
                <td class="number">${bytes(size)}</td>
                <td><code title=${digest}>${shortDigest(digest)}</code></td>
                <td class="number">${fits.chosen.get(digest) ?? 0}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${fits.lacking.map(
      ({ module, devices, why }) =>
        html`<p class="callout warn">
          <strong
            >${plural(devices.length, "device")} (${module}) ${devices.length === 1 ? "has" : "have"} no variant</strong
          >, needed: ${why}.
          <span class="muted"
            >${devices.slice(0, 6).join(", ")}${devices.length > 6 ? ` and ${devices.length - 6} more` : ""}</span
          >
        </p>`,
    )}
  </section>`;
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
