// The top of the page: the state in a word that is read from two metres away, the sentence behind it, and what is wrong.
import { instant } from "../../core/instant.ts";
import { type Headline, type Tone, TONES } from "../../core/words.ts";
import type { ModelStatus, StatusDocument } from "../document.ts";
import { clockTime, counted, isBelievable } from "../format.ts";
import { html, icon, type Piece, timeTag } from "../markup.ts";
import type { Notice } from "../notices.ts";

/** The device in one tone: its gravest model, or its hold when all is well otherwise. */
export function toneOf(status: StatusDocument): Tone {
  const tones = Object.values(status.models).map((model) => model.headline.tone);
  if (tones.length === 0) return "quiet";
  const gravest = TONES.find((tone) => tones.includes(tone)) ?? "quiet";
  return gravest === "good" && status.hold ? "waiting" : gravest;
}

export function hero(status: StatusDocument): Piece {
  const models = Object.values(status.models);
  const tone = toneOf(status);
  const [only] = models;
  const said = models.length === 1 && only ? ofOne(only, status) : ofMany(status, tone);
  return [
    html`<section class="hero ${tone}" id="hero" data-live aria-labelledby="state">
      ${icon(tone)}
      <div>
        <h1 id="state">${said.sentence} <span class="state">${said.state}.</span></h1>
        ${said.more.map((line) => html`<p>${line}</p>`)}
      </div>
    </section>`,
  ];
}

interface Said {
  /** Markup. */
  sentence: Piece;
  state: string;
  more: string[];
}

function ofOne(model: ModelStatus, status: StatusDocument): Said {
  const { headline, wish } = model;
  const isOnlyHeld = headline.tone === "good" && status.hold !== null;
  const health = isOnlyHeld ? "Healthy. Nothing new is installed until the hold ends." : healthOf(headline);
  return {
    sentence: runningSince(model, status.at),
    state: isOnlyHeld ? "On hold" : headline.state,
    more: [health, wish].filter((line) => line !== ""),
  };
}

/** "Running v2.1 since Tuesday 14:02." */
export function runningSince({ headline, current, current_since: since }: ModelStatus, at: string): Piece {
  const isSince =
    current !== null && since !== null && isBelievable(since) && /^(?:Running|Trying) /.test(headline.text);
  if (!isSince) return [html`${headline.text}.`];
  return [html`${headline.text} since ${timeTag(since, clockTime(since, instant(at)))}.`];
}

/** Empty when the state has said it already. */
export function healthOf({ health, state }: Headline): string {
  return health === `${state}.` ? "" : health;
}

const MANY: Record<Tone, string> = {
  good: "All healthy",
  busy: "Installing",
  waiting: "Waiting",
  bad: "Needs help",
  quiet: "No model yet",
};

function ofMany({ models, hold }: StatusDocument, tone: Tone): Said {
  const names = Object.entries(models);
  if (names.length === 0) {
    return {
      sentence: [html`The agent looks at its disk.`],
      state: "Starting",
      more: ["This takes a few seconds. If it lasts, read the agent's log on the device."],
    };
  }
  const well = names.filter(([, model]) => model.headline.tone === "good").map(([name]) => name);
  const others = names.filter(([, model]) => model.headline.tone === tone && tone !== "good").map(([name]) => name);
  const more = [
    others.length === 0 || hold ? "" : `${others.join(", ")}: see below.`,
    tone === "good" || well.length === 0 ? "" : `Healthy: ${well.join(", ")}.`,
  ];
  return {
    sentence: [html`${counted(names.length, "model")} on this device.`],
    state: tone === "waiting" && hold ? "On hold" : MANY[tone],
    more: more.filter((line) => line !== ""),
  };
}

export function noticeBoxes(notices: readonly Notice[]): Piece {
  const boxes = notices.map(
    ({ tone, title, message, next, code }) =>
      html`<section class="notice ${tone}">
        <h2>${icon("bad")} ${title}</h2>
        <p>${message}</p>
        ${next === "" ? [] : [html`<p class="next"><b>What to do:</b> ${next}</p>`]}
        <p class="code">${code}</p>
      </section>`,
  );
  return [html`<div id="notices" data-live role="region" aria-label="What needs attention">${boxes}</div>`];
}
