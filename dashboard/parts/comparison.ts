// What training measured of a version, beside the one that runs now, with the differences.
import type { Version } from "@context-edge/protocol";
import { html, nothing, type TemplateResult } from "lit";
import { bytes, count, percent, pointsBetween } from "../format/numbers.ts";
import { day } from "../format/time.ts";
import { comparedOf } from "../format/training.ts";

/** @param other the version that most devices run; undefined when there is none. */
export function comparison(version: Version, other: Version | undefined): TemplateResult {
  const rate = (of: Version | undefined, key: "false_positive_rate" | "false_negative_rate") =>
    of?.metrics[key] ?? null;
  const rows: [string, number | null, number | null][] = [
    ["Accuracy", version.accuracy, other?.accuracy ?? null],
    ["False positive rate", rate(version, "false_positive_rate"), rate(other, "false_positive_rate")],
    ["False negative rate", rate(version, "false_negative_rate"), rate(other, "false_negative_rate")],
  ];
  const same = comparedOf(version.metrics);
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
    ${
      same
        ? html`<p class="muted">
            On the same ${count(same.held_out_samples)} held-out samples ${same.version_id} was right in
            ${percent(same.accuracy)}: ${pointsBetween(version.accuracy, same.accuracy)} points.
          </p>`
        : nothing
    }
  </div>`;
}
