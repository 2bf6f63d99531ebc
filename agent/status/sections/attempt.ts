// What is under way and why it waits: phases as steps, the download with its rate and time left, the hold, the window, the veto.
import { type Attempt, buildPercent, buildWords, type Phase, type Waiting } from "@context-edge/protocol";
import { instant } from "../../core/instant.ts";
import { PHASE_WORDS } from "../../core/words.ts";
import type { ModelStatus, StatusDocument } from "../document.ts";
import { bytesWords, clockTime, duration, exactTime, percentOf, sentence } from "../format.ts";
import { bytesOf, html, icon, type Piece, timeTag } from "../markup.ts";

/** The way of an attempt that succeeds. */
const WAY: readonly Phase[] = ["downloading", "verifying", "activating", "probing", "soaking"];

const STEP_HELP: Partial<Record<Phase, string>> = {
  verifying: "digest, signatures, and how fast the running model is",
  activating: "the service loads the new file",
  probing: "known answers and speed",
  soaking: "it has to stay healthy for a while",
  "rolling-back": "the model before is put back and tested",
};

/** All that moves or waits, of every model. */
export function underWay(status: StatusDocument): Piece {
  const many = Object.keys(status.models).length > 1;
  const boxes = Object.entries(status.models).flatMap(([name, model]) => [
    ...waitingBox(model.waiting, status, many ? name : null),
    ...attemptBox(model, many ? name : null, status),
  ]);
  const isTold = Object.values(status.models).some((model) => model.waiting?.for === "hold");
  return [html`<div id="under-way" data-live>${isTold ? [] : holdBox(status)} ${boxes}</div>`];
}

function holdBox({ hold, at }: StatusDocument): Piece {
  if (!hold) return [];
  const who = hold.by === "hub" ? "An engineer holds" : "Somebody at the device holds";
  return [
    html`<section class="notice waiting">
      <h2>${icon("waiting")} On hold</h2>
      <p>${who} this device as it is, until ${timeTag(hold.until, clockTime(hold.until, instant(at)))}.</p>
      ${hold.reason === "" ? [] : [html`<p>Reason: ${hold.reason}</p>`]}
    </section>`,
  ];
}

const WAITS_FOR: Record<Waiting["for"], { title: string; after: string }> = {
  hold: { title: "Why it waits: the device is on hold", after: "The hold ends" },
  window: { title: "Why it waits: the maintenance window is closed", after: "The next window opens" },
  veto: { title: "Why it waits: the device is busy", after: "It is asked again" },
  retry: { title: "Why it waits: the last try failed", after: "The next try begins" },
};

function waitingBox(waiting: Waiting | null, { at, hold }: StatusDocument, name: string | null): Piece {
  if (!waiting) return [];
  const { title, after } = WAITS_FOR[waiting.for];
  const end =
    waiting.until === null
      ? [html`<p>It is not known when this ends.</p>`]
      : [html`<p>${after} ${timeTag(waiting.until, clockTime(waiting.until, instant(at)))}.</p>`];
  const isOwnHold = waiting.for === "hold" && hold?.by === "device";
  return [
    html`<section class="notice waiting">
      <h2>${icon("waiting")} ${title}</h2>
      <p>${name === null ? "" : `${name}: `}${sentence(waiting.message)}</p>
      ${end}
      ${isOwnHold ? [html`<p class="next"><b>What to do:</b> End the hold below, or let it end by itself.</p>`] : []}
    </section>`,
  ];
}

function attemptBox({ attempt, waiting, current }: ModelStatus, name: string | null, status: StatusDocument): Piece {
  if (!attempt) return [];
  return [
    html`<section class="card attempt" aria-label="${`Installing ${attempt.version}`}">
      <h2>Installing ${attempt.version}${name === null ? "" : ` (${name})`}</h2>
      <p class="soft">
        Begun ${timeTag(attempt.started_at, clockTime(attempt.started_at, instant(status.at)))}.
        ${attempt.phase === "rolling-back" ? "It did not prove itself and is being undone." : ""}
      </p>
      ${download(attempt)} ${build(attempt, current?.version ?? null)}
      <ol class="steps">
        ${steps(attempt, waiting !== null)}
      </ol>
    </section>`,
  ];
}

function download({ download: now }: Attempt): Piece {
  if (!now) return [];
  const { bytes, total_bytes: total, rate_bytes_per_s: rate, left_s: left } = now;
  const percent = percentOf(bytes, total);
  const pace = rate === null ? "" : `, ${bytesWords(rate)} per second`;
  const rest = left === null ? "" : `, about ${duration(left * 1_000)} left`;
  return [
    html`<p class="download">
      <progress max="100" value="${String(percent)}" aria-label="Download"></progress>
      <b>${String(percent)} %</b> ${bytesOf(bytes, total)}${pace}${rest}
    </p>`,
  ];
}

/** A bar only where an earlier build says how long this one may take. */
function build({ build: now }: Attempt, serving: string | null): Piece {
  if (!now) return [];
  const percent = buildPercent(now);
  const bar =
    percent === null
      ? []
      : [html`<progress max="100" value="${String(percent)}" aria-label="Building the engine"></progress>`];
  return [html`<p class="download">${bar} ${sentence(buildWords(now, serving))}</p>`];
}

function steps({ phase, steps: entered, build: isBuilt }: Attempt, isWaiting: boolean): Piece {
  const isUndone = phase === "rolling-back";
  const known = WAY.filter((step) => !isUndone || entered.some((one) => one.phase === step));
  const way: readonly Phase[] = isUndone ? [...known, phase] : known;
  const here = way.indexOf(phase);
  return way.map((step, index) => {
    const at = entered.find((one) => one.phase === step)?.at;
    const isFailed = isUndone && index === here - 1;
    const state = isFailed ? "failed" : index < here ? "done" : index === here ? "now" : "next";
    const said = STATE_WORDS[state === "now" && isWaiting ? "waits" : state];
    const help = step === "verifying" && isBuilt ? "the engine is built on this device" : STEP_HELP[step];
    return html`<li
      class="${state}${isUndone && index === here ? " undone" : ""}"
      ${index === here ? [html`aria-current="step"`] : []}
    >
      <span class="what">${PHASE_WORDS[step]}</span>
      <span class="soft"
        >${at === undefined ? [] : timeTag(at, exactTime(at))} ${said}${help === undefined ? "" : `: ${help}`}</span
      >
    </li>`;
  });
}

const STATE_WORDS = { done: "done", failed: "not passed", now: "now", waits: "ready, waits", next: "to come" };
