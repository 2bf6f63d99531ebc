// What a reader must know and do, the gravest first: problems of models, of the hub, of the disk and of the clock, from the document alone.
import type { OutcomeReport, Trouble } from "@context-edge/protocol";
import { instant } from "../core/instant.ts";
import { outcomeWords } from "../core/outcome-words.ts";
import type { StatusDocument } from "./document.ts";
import { bytesWords, clockTime, duration, isBelievable, sentence } from "./format.ts";

export interface Notice {
  /** `bad`: a person has to act. `waiting`: worth knowing. */
  tone: "bad" | "waiting";
  title: string;
  message: string;
  /** Empty when there is nothing to do. */
  next: string;
  code: string;
  /** Set for an attempt whose evidence stands further down. */
  outcome?: OutcomeReport;
}

/** Less free space than this share of the disk, and below {@link LOW_DISK_BYTES}, is told. */
const LOW_DISK_SHARE = 0.05;
const LOW_DISK_BYTES = 2e9;
/** A hub that misses a few polls is no news. */
const HUB_SILENT_MS = 10 * 60_000;
/** Above this a module is about to throttle: Orin begins near 99 °C (from memory, never seen on hardware). */
const HOT_C = 95;

export function noticesOf(status: StatusDocument): Notice[] {
  const notices = [
    ...modelNotices(status),
    ...deviceNotices(status),
    ...outcomeNotices(status),
    ...hubNotices(status),
    ...machineNotices(status),
  ];
  const isFull = notices.some(({ code }) => code === "DISK_FULL");
  const seen = new Set<string>();
  const unique = notices.filter(({ code, message }) => {
    const key = `${code} ${message}`;
    // "Nearly full" beside "full" would only add to the noise.
    return !(isFull && code === "DISK_LOW") && !seen.has(key) && seen.add(key);
  });
  return unique.toSorted((a, b) => Number(b.tone === "bad") - Number(a.tone === "bad"));
}

function modelNotices({ models }: StatusDocument): Notice[] {
  return Object.entries(models).flatMap(([name, { trouble }]) => {
    if (!trouble) return [];
    const title = Object.keys(models).length > 1 ? `What is wrong with ${name}` : "What is wrong";
    return [told(trouble, "bad", title)];
  });
}

/** What is wrong with the device as a whole: neither one model's trouble, nor the hub's silence, nor the clock. */
function deviceNotices({ trouble, models, hub, clock }: StatusDocument): Notice[] {
  if (!trouble) return [];
  const known = [...Object.values(models).map((model) => model.trouble), hub.state === "failing" ? hub.trouble : null];
  const isKnown = known.some((one) => one?.code === trouble.code && one.message === trouble.message);
  if (isKnown || (clock.looks_wrong && trouble.code === "CLOCK")) return [];
  return [told(trouble, "bad", "What is wrong")];
}

function outcomeNotices({ models }: StatusDocument): Notice[] {
  return Object.values(models).flatMap(({ last_outcome: last, current, trouble, attempt }) => {
    // What runs, and what is being tried now, are newer than the attempt before.
    if (!last || last.outcome === "committed" || last.code === "WITHDRAWN" || trouble || attempt) return [];
    if (current?.digest === last.digest) return [];
    const safe = current ? `${current.version} goes on running.` : "";
    const title = `${last.version}: ${lowerFirst(outcomeWords(last))}`;
    const message = `${sentence(last.message)} ${safe}`.trim();
    // What was tried and did not prove itself is mended where it was built; what failed on the way may be mended here.
    const isForEngineers = last.outcome !== "failed" && last.next_step !== "";
    const next = isForEngineers ? `Nothing at the device. For the engineers: ${last.next_step}` : last.next_step;
    return [{ tone: "waiting" as const, title, message, next, code: last.code, outcome: last }];
  });
}

function hubNotices({ hub, at, models }: StatusDocument): Notice[] {
  if (hub.state !== "failing" || !hub.trouble) return [];
  const since = hub.last_answer_at;
  const silentMs = since === null ? Infinity : instant(at) - instant(since);
  if (silentMs < HUB_SILENT_MS) return [];
  const when =
    since === null
      ? "The hub has not answered since the agent started"
      : `The hub has not answered for ${duration(silentMs)}, since ${clockTime(since, instant(at))}`;
  const runs = Object.values(models).some((model) => model.current !== null);
  const message = `${when}.${runs ? " What runs here goes on running." : ""} ${sentence(hub.trouble.message)}`;
  return [
    { tone: "waiting", title: "The hub is out of reach", message, next: hub.trouble.next_step, code: hub.trouble.code },
  ];
}

function machineNotices({ telemetry, clock, at }: StatusDocument): Notice[] {
  const notices: Notice[] = [];
  if (clock.looks_wrong) {
    const best = isBelievable(at) ? ` The agent reckons with ${clockTime(at, instant(clock.at))} at the earliest.` : "";
    notices.push({
      tone: "waiting",
      title: "The clock of this device is wrong",
      message: `It says ${clockTime(clock.at, NaN)}, which cannot be.${best} Times on this page may be wrong; models run all the same.`,
      next: "Let the device reach a time server (NTP), or set its clock. A Jetson without a battery for its clock forgets the time.",
      code: "CLOCK_WRONG",
    });
  }
  const free = telemetry?.disk_free_bytes ?? null;
  const total = telemetry?.disk_total_bytes ?? null;
  if (free !== null && total !== null && free < LOW_DISK_BYTES && free < total * LOW_DISK_SHARE) {
    notices.push({
      tone: "waiting",
      title: "The disk is nearly full",
      message: `${bytesWords(free)} of ${bytesWords(total)} are free where the models lie; a new model may not fit.`,
      next: "Delete what is not needed on this disk. The agent's own old files are gone already.",
      code: "DISK_LOW",
    });
  }
  const hottest = Math.max(...Object.values(telemetry?.temperatures_c ?? {}), -Infinity);
  if (hottest >= HOT_C) {
    notices.push({
      tone: "waiting",
      title: "The device is very hot",
      message: `${hottest.toFixed(0)} °C were measured; it slows down to protect itself, and tests may fail for that alone.`,
      next: "Check the fan, the heat sink and the air around the device.",
      code: "HOT",
    });
  }
  return notices;
}

function told({ message, next_step: next, code }: Trouble, tone: Notice["tone"], title: string): Notice {
  return { tone, title, message: sentence(message), next, code };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
