// A deployment or an upload as it goes: a bar on a terminal, lines that appear when something changed everywhere else.
import { SingleBar } from "cli-progress";
import type { Deployment } from "./answers.ts";
import type { Desk } from "./desk.ts";
import type { Watcher } from "./follow.ts";
import type { Output } from "./output.ts";
import { clean } from "./output.ts";
import { sizeWords } from "./quantities.ts";

const WIDEST_BAR = 20;
/** A terminal as narrow as this has no room for a bar and words. */
const NARROW = 60;

const columnsOf = (stream: NodeJS.WriteStream) => stream.columns || 80;
const barOf = (stream: NodeJS.WriteStream) => Math.min(WIDEST_BAR, Math.max(4, Math.floor(columnsOf(stream) / 5)));
/** A dumb terminal (an editor's shell) shows escape sequences as they are. */
const canDraw = ({ streams: { stderr }, environment }: Viewer) => stderr.isTTY && environment["TERM"] !== "dumb";

type Viewer = Pick<Desk, "streams" | "environment" | "out">;

function openBar(stream: NodeJS.WriteStream, format: string): SingleBar {
  return new SingleBar({
    format,
    stream,
    barsize: barOf(stream),
    hideCursor: true,
    fps: 10,
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
}

/** `2 moving, 1 failed, 1 offline`: whatever is not zero, and not committed. */
export function othersOf({ progress }: Deployment): string {
  const named = [
    ["moving", progress.moving],
    ["pending", progress.pending],
    ["failed", progress.failed],
    ["rolled back", progress.rolled_back],
    ["incompatible", progress.incompatible],
    ["held", progress.held],
    ["offline", progress.offline],
    ["in later waves", progress.waiting],
  ] as const;
  return named.flatMap(([words, count]) => (count > 0 ? [`${count} ${words}`] : [])).join(", ");
}

/** `wave 2 of 3`; nothing where there is one step only. */
export function waveOf({ step, plan }: Deployment): string {
  const steps = plan?.steps.length ?? 1;
  return steps > 1 && step !== undefined ? `wave ${Math.min(step + 1, steps)} of ${steps}` : "";
}

export function watchOn(viewer: Viewer): Watcher {
  return canDraw(viewer) ? barWatcher(viewer.streams.stderr) : lineWatcher(viewer.out);
}

function barWatcher(stream: NodeJS.WriteStream): Watcher {
  const bar = openBar(stream, "{bar} {committed}/{total} {words}");
  let isOn = false;
  let words = "";
  let figures = "";
  // Cut here, or the terminal would cut it in the middle of what matters.
  const fit = (text: string) =>
    clean(text).slice(0, Math.max(0, columnsOf(stream) - barOf(stream) - figures.length - 3));
  return {
    show(deployment) {
      const { committed, total } = deployment.progress;
      figures = `${committed}/${total}`;
      words = [deployment.state, waveOf(deployment), othersOf(deployment)].filter(Boolean).join(" · ");
      const payload = { committed, words: fit(words) };
      if (!isOn) bar.start(Math.max(total, 1), committed, payload);
      isOn = true;
      bar.setTotal(Math.max(total, 1));
      bar.update(committed, payload);
    },
    trouble(sentence) {
      if (isOn) bar.update({ words: fit(sentence === null ? words : `the hub is away · ${words}`) });
      else if (sentence !== null) stream.write(`${clean(sentence)}\n`);
    },
    end() {
      if (isOn) bar.stop();
      isOn = false;
    },
  };
}

function lineWatcher(out: Output): Watcher {
  let shown = "";
  return {
    show(deployment) {
      const { committed, total } = deployment.progress;
      const parts = [
        `${committed}/${total} committed`,
        othersOf(deployment),
        waveOf(deployment),
        deployment.state_reason,
      ];
      const line = `${deployment.state}: ${parts.filter(Boolean).join("; ")}`;
      if (line !== shown) out.note(`${clock(out.nowMs())} ${line}`);
      shown = line;
    },
    trouble: (sentence) => out.note(`${clock(out.nowMs())} ${sentence ?? "The hub answers again."}`),
    end: () => undefined,
  };
}

const clock = (nowMs: number) => new Date(nowMs).toISOString().slice(11, 19);

export interface UploadWatcher {
  start(totalBytes: number, sentBytes: number): void;
  sent(bytes: number): void;
  note(sentence: string): void;
  end(): void;
}

export function watchUpload(viewer: Viewer, name: string): UploadWatcher {
  const { out, streams } = viewer;
  const short = clean(name).slice(0, 24);
  if (!canDraw(viewer)) {
    return {
      start: (total, sent) =>
        out.note(`uploading ${short}, ${sizeWords(total)}${sent > 0 ? `, going on at ${sizeWords(sent)}` : ""}`),
      sent: () => undefined,
      note: (sentence) => out.note(sentence),
      end: () => undefined,
    };
  }
  const title = columnsOf(streams.stderr) < NARROW ? "" : `${short} `;
  const bar = openBar(streams.stderr, `${title}{bar} {percentage}% {words}`);
  let total = 0;
  const words = (bytes: number) => ({ words: `${sizeWords(bytes)} of ${sizeWords(total)}` });
  return {
    start(totalBytes, sentBytes) {
      total = totalBytes;
      bar.start(totalBytes, sentBytes, words(sentBytes));
    },
    sent: (bytes) => bar.update(bytes, words(bytes)),
    note: (sentence) => out.note(`\n${sentence}`),
    end: () => bar.stop(),
  };
}
