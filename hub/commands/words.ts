// The words of a command: what stands alone and what stands behind a `--name`; and what commands that write have in common.
import { userInfo } from "node:os";
import { type Change, trackChanges } from "../changes.ts";
import { ProblemError } from "../problem-error.ts";
import { openBeside } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { EXIT, type Invocation } from "./command.ts";

export interface Words {
  plain: string[];
  flags: Record<string, string>;
  /** Flags that stand for themselves. */
  switches: ReadonlySet<string>;
}

/**
 * @param allowed flags that have a value
 * @param allowedSwitches flags that have none
 * @returns null when a flag is unknown, has no value though it should, or comes twice.
 */
export function readWords(
  words: readonly string[],
  allowed: readonly string[],
  allowedSwitches: readonly string[] = [],
): Words | null {
  const plain: string[] = [];
  const flags: Record<string, string> = {};
  const switches = new Set<string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!word.startsWith("--")) {
      plain.push(word);
      continue;
    }
    if (allowedSwitches.includes(word.slice(2))) {
      switches.add(word.slice(2));
      continue;
    }
    const [name = "", inline] = word.slice(2).split(/=(.*)/s);
    const value = inline ?? words[(index += 1)];
    if (!allowed.includes(name) || value === undefined || value.startsWith("--") || name in flags) return null;
    flags[name] = value;
  }
  return { plain, flags, switches };
}

/** `90d`, `12h`. @returns days; null when it is neither. */
export function readDays(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) return null;
  return unit === "d" ? Number(count) : Number(count) / 24;
}

export interface Desk {
  store: Store;
  /** In the name of whoever sits at the machine. */
  change: <T>(work: (change: Change) => Promise<T>) => Promise<T>;
}

/** Opens the hub's store, also beside a running hub, which reads what is written here at once. Never migrates it. */
export async function atStore(
  { config, fail }: Pick<Invocation, "config" | "fail">,
  work: (desk: Desk) => Promise<number>,
): Promise<number> {
  const store = await openBeside(config);
  const changes = trackChanges(store, Date.now);
  const actor = `command line (${userInfo().username})`;
  try {
    return await work({ store, change: (change) => patiently(() => changes.make(actor, change)) });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    fail([error.message, error.nextStep].filter(Boolean).join(" "));
    return EXIT.wrong;
  } finally {
    await store.close();
  }
}

const TRIES = 5;

/** A running hub may write at the same moment; SQLite then asks for the whole change again. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
      if (!isBusy || left === 0) throw error;
    }
  }
}

/** Columns as wide as their widest word. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
