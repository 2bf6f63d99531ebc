// Everything that is printed: results on stdout, what happens meanwhile on stderr, one JSON document with `--json`.
import { styleText } from "node:util";
import Table from "cli-table3";
import type { Failure } from "./exits.ts";
import { relativeTime } from "./quantities.ts";

export interface Output {
  readonly json: boolean;
  /** The result: `document` with `--json`, else the lines. */
  result(document: unknown, lines: readonly string[]): void;
  /** Beside the result; on stderr, so that a pipe stays clean. */
  note(line: string): void;
  table(head: readonly string[], rows: readonly (readonly string[])[]): string[];
  tone(tone: Tone, text: string): string;
  /** `3 min ago` for who looks at a terminal; in a pipe the time itself, which is still true tomorrow. */
  when: (at: string | null | undefined) => string;
  nowMs(): number;
}

export type Tone = "good" | "bad" | "warn" | "dim" | "strong";
const STYLE = { good: "green", bad: "red", warn: "yellow", dim: "dim", strong: "bold" } as const;

export interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

export function openOutput({ stdout, stderr }: Streams, { json }: { json: boolean }): Output {
  return {
    json,
    result(document, lines) {
      if (json) stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else for (const line of lines) stdout.write(`${colored(line)}\n`);
    },
    note: (line) => void stderr.write(`${clean(line)}\n`),
    table: (head, rows) => layOut(head, rows, stdout),
    // `stream` makes styleText respect NO_COLOR, FORCE_COLOR and pipes.
    tone: (tone, text) => styleText(STYLE[tone], text, { stream: stdout }),
    when: (at) => (stdout.isTTY ? relativeTime(at, Date.now()) : (at ?? "never")),
    nowMs: () => Date.now(),
  };
}

/** The sentence, its code, the next step; with `--json` the problem itself, where the result would have been. */
export function reportFailure({ stdout, stderr }: Streams, failure: Failure, { json }: { json: boolean }): void {
  const { code, nextStep, lines = [] } = failure.more;
  if (json) stdout.write(`${JSON.stringify(failure.toJson(), null, 2)}\n`);
  const red = styleText("red", "error", { stream: stderr });
  stderr.write(`${red}: ${clean(failure.message)} (${clean(code)})\n`);
  for (const line of lines) stderr.write(`  ${clean(line)}\n`);
  if (nextStep !== undefined) stderr.write(`next: ${clean(nextStep)}\n`);
}

/** What a device or a training job named must not steer the reader's terminal. */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};
const LEAST_LAST_COLUMN = 16;

/** Columns without lines. On a terminal the last column wraps at its edge; in a pipe a row stays one line. */
function layOut(head: readonly string[], rows: readonly (readonly string[])[], stdout: NodeJS.WriteStream): string[] {
  const columns = stdout.isTTY ? stdout.columns || 80 : Infinity;
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => visible(row[at] ?? "").length)));
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const last = widths.at(-1) ?? 0;
  const room = Math.max(LEAST_LAST_COLUMN, columns - others);
  const wraps = last > room;
  const table = new Table({
    head: head.map((title) => styleText("bold", title, { stream: stdout })),
    chars: NO_LINES,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    wordWrap: wraps,
    wrapOnWordBoundary: true,
    colWidths: head.map((_title, at) => (wraps && at === head.length - 1 ? room : null)),
  });
  table.push(...rows.map((row) => row.map((cell) => cell.replaceAll("\n", " "))));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

// eslint-disable-next-line no-control-regex
const visible = (text: string) => text.replace(/\u001b\[\d+m/g, "");

/** Keeps the colours this command line set itself, and nothing else. */
function colored(line: string): string {
  // eslint-disable-next-line no-control-regex
  const parts = line.split(/(\u001b\[\d{1,2}m)/);
  return parts.map((part, at) => (at % 2 === 1 ? part : clean(part))).join("");
}
