// The page for the person who stands before the device: plain words first, figures below, nothing from anywhere else.
import html from "html-template-tag";
import type { InferenceStats, Installed, Trouble } from "@context-edge/protocol";
import { OUTCOME_WORDS } from "../core/words.ts";
import type { ModelStatus, StatusDocument } from "./document.ts";
import { evidenceTable } from "./evidence.ts";
import { clockTime, megabytes } from "./format.ts";

/**
 * Every `${text}` is escaped by the tag; lists hold only what the tag itself made.
 * @returns a whole document
 */
export function renderPage(status: StatusDocument): string {
  const models = Object.entries(status.models);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${status.device} · Context Edge</title>
        <link rel="stylesheet" href="/status.css" />
        <script src="/status.js" defer></script>
      </head>
      <body>
        <main>
          <header>
            <p class="device">${status.device}</p>
            <p class="group">${status.group === null ? "not in a group yet" : `group ${status.group}`}</p>
          </header>
          ${models.map(([name, model]) => modelSection(name, model, models.length))}
          ${models.length === 0 ? [html`<section><h1>Starting.</h1></section>`] : []} ${troubleBox(status.trouble)}
          ${historySection(status)} ${hubSection(status)} ${deviceSection(status)}
        </main>
      </body>
    </html>`;
}

function modelSection(name: string, model: ModelStatus, count: number): string {
  const since = model.current && model.current_since ? ` since ${clockTime(model.current_since)}` : "";
  return html`<section class="model ${model.headline.tone}">
    ${count > 1 ? [html`<p class="name">Model ${name}</p>`] : []}
    <h1>${model.headline.text}${since}. <span class="health">${model.headline.health}</span></h1>
    <p class="wish">${model.wish}</p>
    ${attemptBox(model)}
    <dl>
      <dt>Current</dt>
      <dd>${slot(model.current)}</dd>
      <dt>Backup</dt>
      <dd>${slot(model.backup)}</dd>
      ${statsRows(model.stats)}
    </dl>
  </section>`;
}

function slot(installed: Installed | null): string[] {
  if (!installed) return [html`none`];
  return [html`<b>${installed.version}</b> <code>${installed.digest}</code>`];
}

function statsRows(stats: InferenceStats | null): string[] {
  if (!stats) return [];
  const average = stats.avg_ms === null ? "" : `, ${stats.avg_ms.toFixed(1)} ms on average`;
  return [
    html`<dt>Answers</dt>
      <dd>${String(stats.predictions)}${average}, ${String(stats.errors)} errors since it was activated</dd>`,
  ];
}

function attemptBox({ attempt }: ModelStatus): string[] {
  if (!attempt) return [];
  const { download } = attempt;
  return [
    html`<div class="attempt">
      <p>Installing <b>${attempt.version}</b> since ${clockTime(attempt.started_at)}</p>
      <ol>
        ${attempt.steps.map((step) => html`<li class="${step.phase}">${step.phase} <time>${clockTime(step.at)}</time></li>`)}
      </ol>
      ${
        download
          ? [
              html`<progress max="${String(download.total_bytes)}" value="${String(download.bytes)}"></progress>
                <p>${megabytes(download.bytes)} of ${megabytes(download.total_bytes)}</p>`,
            ]
          : []
      }
    </div>`,
  ];
}

function troubleBox(trouble: Trouble | null): string[] {
  if (!trouble) return [];
  const next = trouble.next_step === "" ? [] : [html`<p><b>What to do:</b> ${trouble.next_step}</p>`];
  return [
    html`<section class="trouble" role="alert">
      <h2>What is wrong</h2>
      <p>${trouble.message}</p>
      ${next}
      <p class="code">${trouble.code}</p>
    </section>`,
  ];
}

function historySection({ history }: StatusDocument): string[] {
  if (history.length === 0) return [];
  const items = history.map(({ report, started_at: startedAt, steps }, index) => {
    const next = report.next_step === "" ? [] : [html`<p><b>What to do:</b> ${report.next_step}</p>`];
    return html`<details class="${report.outcome}" ${index === 0 ? ["open"] : []}>
      <summary><b>${report.version}</b> ${OUTCOME_WORDS[report.outcome]} <time>${clockTime(report.at)}</time></summary>
      <p>${report.message}</p>
      ${next} ${evidenceTable(report.evidence)}
      <p class="code">
        ${report.code} · began ${clockTime(startedAt)} · ${steps.map((step) => step.phase).join(" → ")} · deployment
        ${report.deployment_id}
      </p>
    </details>`;
  });
  return [
    html`<section>
      <h2>Last attempts</h2>
      ${items}
    </section>`,
  ];
}

function hubSection({ hub, unreported }: StatusDocument): string[] {
  const answered =
    hub.last_answer_at === null ? "It has not answered yet." : `Last answer ${clockTime(hub.last_answer_at)}.`;
  const untold = unreported === 0 ? "" : ` ${unreported} result(s) are still to be told to it.`;
  const wrong = hub.trouble ? [html`<p>${hub.trouble.message}</p>`] : [];
  // The address comes from the operator's own settings and was parsed as http or https.
  return [
    html`<section>
      <h2>Hub</h2>
      <p><a href="$${escapeAttribute(hub.url)}" rel="noreferrer">${hub.url}</a></p>
      <p>${answered}${untold}</p>
      ${wrong}
    </section>`,
  ];
}

function deviceSection({ inventory, manifest_sequence: sequence, at }: StatusDocument): string[] {
  const facts: [string, string][] = [
    ["Module", inventory.module ?? inventory.arch],
    ["L4T", inventory.l4t ?? "unknown"],
    ["TensorRT", inventory.tensorrt ?? "unknown"],
    ["Agent", inventory.agent_version],
    ["Manifest", sequence === null ? "none yet" : String(sequence)],
    ["This page", clockTime(at)],
  ];
  return [
    html`<section>
      <h2>Device</h2>
      <dl>
        ${facts.map(
          ([term, value]) =>
            html`<dt>${term}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>
    </section>`,
  ];
}

function escapeAttribute(url: string): string {
  return url.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
