// What the hub's commands have in common: settings, words, where they speak, and how they end.
import type { HubConfig } from "../config.ts";

export interface Invocation {
  config: HubConfig;
  /** What stands behind the command's name. */
  words: readonly string[];
  say: (line: string) => void;
  /** To stderr, so that what is said can be piped on. */
  fail: (line: string) => void;
}

export type Command = (invocation: Invocation) => Promise<number>;

export const EXIT = { done: 0, wrong: 1, usage: 2 } as const;
