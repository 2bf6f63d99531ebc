// What the training run sent along: figures by class, the confusion matrix and the curves.
import { html, nothing, svg, type TemplateResult } from "lit";
import { count, percent, pointsBetween } from "../format/numbers.ts";
import {
  confusionOf,
  curvesOf,
  perClassOf,
  polyline,
  type Confusion,
  type Curves,
  type PerClass,
} from "../format/training.ts";

/** @param before the running version's metrics, to compare with class by class; null when there is nothing to compare. */
export function trainingDetails(
  metrics: Record<string, unknown>,
  before: Record<string, unknown> | null,
): TemplateResult {
  const perClass = perClassOf(metrics);
  const confusion = confusionOf(metrics);
  const curves = curvesOf(metrics);
  if (!perClass && !confusion && !curves) return html`<p class="card quiet-card">The training run sent no details.</p>`;
  return html`<div class="columns">
    ${
      perClass
        ? html`<section class="card">
            <h2>By class</h2>
            ${classTable(perClass, before ? perClassOf(before) : null)}
          </section>`
        : nothing
    }
    ${
      confusion
        ? html`<section class="card">
            <h2>Confusion</h2>
            ${confusionTable(confusion)}
          </section>`
        : nothing
    }
    ${
      curves
        ? html`<section class="card">
            <h2>Training</h2>
            ${curveChart(curves)}
          </section>`
        : nothing
    }
  </div>`;
}

const readable = (name: string) => name.replaceAll("_", " ");

function classTable(perClass: PerClass, before: PerClass | null): TemplateResult {
  const beside = (name: string, key: "precision" | "recall", value: number | null) => {
    const earlier = before?.[name]?.[key] ?? null;
    return earlier === null || value === null
      ? nothing
      : html` <small class="muted">${pointsBetween(value, earlier)}</small>`;
  };
  return html`<div class="table-wrap" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Class</th>
          <th>Precision</th>
          <th>Recall</th>
          <th>Samples</th>
        </tr>
      </thead>
      <tbody>
        ${Object.entries(perClass).map(
          ([name, { precision, recall, support }]) =>
            html`<tr>
              <td>${readable(name)}</td>
              <td class="number">${percent(precision)}${beside(name, "precision", precision)}</td>
              <td class="number">${percent(recall)}${beside(name, "recall", recall)}</td>
              <td class="number">${count(support)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function confusionTable({ classes, counts }: Confusion): TemplateResult {
  const shade = (row: number[], value: number) =>
    value /
    Math.max(
      1,
      row.reduce((sum, one) => sum + one, 0),
    );
  return html`<div class="table-wrap" tabindex="0">
    <table class="confusion">
      <caption class="muted">
        Rows are the truth, columns the prediction
      </caption>
      <thead>
        <tr>
          <td></td>
          ${classes.map((name) => html`<th scope="col"><span>${readable(name)}</span></th>`)}
        </tr>
      </thead>
      <tbody>
        ${counts.map(
          (row, index) =>
            html`<tr>
              <th scope="row">${readable(classes[index] ?? "")}</th>
              ${row.map((value, column) => html`<td class=${column === index ? "right" : "wrong"} style="--share:${shade(row, value).toFixed(3)}">${value}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const WIDTH = 320;
const HEIGHT = 120;

function curveChart({ epoch, train_loss: loss, validation_accuracy: accuracy }: Curves): TemplateResult {
  const lines = svg`
    <polyline class="loss" points=${polyline(loss, WIDTH, HEIGHT)}></polyline>
    <polyline class="accuracy" points=${polyline(accuracy, WIDTH, HEIGHT)}></polyline>`;
  return html`<figure class="curves">
    <svg
      viewBox="-4 -4 ${WIDTH + 8} ${HEIGHT + 8}"
      role="img"
      aria-label="Training loss from ${loss[0]} to ${loss.at(-1)}, validation accuracy from ${percent(accuracy[0])} to ${percent(accuracy.at(-1))}"
    >
      ${lines}
    </svg>
    <figcaption>
      <span class="key loss">training loss ${loss[0]} → ${loss.at(-1)}</span>
      <span class="key accuracy">validation accuracy ${percent(accuracy[0])} → ${percent(accuracy.at(-1))}</span>
      <span class="muted">${epoch.length} epochs</span>
    </figcaption>
  </figure>`;
}
