// What came of an action, kept for a moment under a random name: the address after the redirect holds the name alone, so nobody can forge what is said.
import { randomBytes } from "node:crypto";
import type { Flash } from "./page.ts";

const KEPT = 32;
const KEPT_MS = 120_000;

export interface Flashes {
  /** @returns the name to find it by */
  keep(flash: Flash): string;
  find(name: string): Flash | null;
}

/** @param now milliseconds of a clock that never jumps */
export function flashes(now: () => number): Flashes {
  const kept = new Map<string, { flash: Flash; until: number }>();
  return {
    keep(flash) {
      const name = randomBytes(12).toString("base64url");
      kept.set(name, { flash, until: now() + KEPT_MS });
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return name;
    },
    find(name) {
      const found = kept.get(name);
      return found && found.until > now() ? found.flash : null;
    },
  };
}
