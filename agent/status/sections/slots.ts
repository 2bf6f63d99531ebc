// Both slots of every model: which version, which file by its digest, and what this device refuses.
import type { InferenceStats, Installed, ModelName } from "@context-edge/protocol";
import { instant } from "../../core/instant.ts";
import type { ModelStatus, StatusDocument } from "../document.ts";
import { clockTime, counted, duration, isBelievable, shortDigest } from "../format.ts";
import { digestTag, html, icon, idOf, type Piece, timeTag } from "../markup.ts";
import { healthOf, runningSince } from "./hero.ts";

export function slotSections(status: StatusDocument): Piece {
  const models = Object.entries(status.models);
  const isMany = models.length > 1;
  return models.map(
    ([name, model]) =>
      html`<section class="card model" id="${idOf(`model-${name}`)}" data-live>
        ${isMany ? ofMany(name, model, status) : [html`<h2>Installed here</h2>`]}
        <div class="slots">
          ${slot({ title: "Runs now", name, link: model.link, installed: model.current, since: model.current_since }, status)}
          ${slot({ title: "Backup", name, link: `${model.link}.backup`, installed: model.backup, since: null }, status)}
        </div>
        ${statsLine(model.stats, status.at)} ${refused(name, model)}
      </section>`,
  );
}

function ofMany(name: ModelName, model: ModelStatus, { at }: StatusDocument): Piece {
  const { headline, wish } = model;
  const health = healthOf(headline);
  return [
    html`<h2>${name} <span class="pill ${headline.tone}">${icon(headline.tone)} ${headline.state}</span></h2>
      <p>${runningSince(model, at)} ${health} ${wish}</p>`,
  ];
}

interface SlotView {
  title: string;
  name: ModelName;
  link: string;
  installed: Installed | null;
  since: string | null;
}

function slot({ title, name, link, installed, since }: SlotView, { at }: StatusDocument): Piece {
  const held = installed
    ? [
        html`<p class="version">${installed.version}</p>
          ${digestTag(installed.digest, `${name}-${link}`)} ${builtHere(installed)}`,
      ]
    : [html`<p class="version none">none</p>`];
  const when =
    installed && since !== null && isBelievable(since)
      ? [html`<p class="soft">since ${timeTag(since, clockTime(since, instant(at)))}</p>`]
      : [];
  return [
    html`<div class="slot">
      <h3>${title}</h3>
      ${held} ${when}
      <p class="soft"><code>${link}</code></p>
    </div>`,
  ];
}

function builtHere({ engine }: Installed): Piece {
  if (!engine) return [];
  const took = duration(engine.took_s * 1_000);
  return [html`<p class="soft">Its engine was built here in ${took}, for TensorRT ${engine.tensorrt}.</p>`];
}

function statsLine(stats: InferenceStats | null, at: string): Piece {
  if (!stats) return [];
  const average = stats.avg_ms === null ? "" : `, ${stats.avg_ms.toFixed(1)} ms on average`;
  const errors = stats.errors === 0 ? "none failed" : `${stats.errors} failed`;
  return [
    html`<p class="stats">
      <b>${counted(stats.predictions, "answer")}</b> since ${timeTag(stats.since, clockTime(stats.since, instant(at)))},
      ${errors}${average}.
    </p>`,
  ];
}

function refused(name: ModelName, { quarantined }: ModelStatus): Piece {
  if (quarantined.length === 0) return [];
  return [
    html`<details class="refused" id="${idOf(`refused-${name}`)}">
      <summary>Refused on this device: ${counted(quarantined.length, "file")}</summary>
      <ul>
        ${quarantined.map(({ digest, code }) => html`<li><code title="${digest}">${shortDigest(digest)}…</code> ${code}</li>`)}
      </ul>
    </details>`,
  ];
}
