// What becomes of a webhook's delivery after a try: delivered, once more and when, or given up. Time and chance are arguments.

/** How long a delivery is tried, from its birth. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 3_600_000;

export type Tried =
  | { kind: "answered"; status: number; retryAfterMs: number | null }
  /** No answer, or an address that is not to be called. */
  | { kind: "failed"; error: string };

export interface Attempt {
  createdMs: number;
  /** Tries so far, this one included. */
  tries: number;
  nowMs: number;
  /** 0 to 1. */
  jitter: number;
}

export type Fate =
  | { state: "delivered"; nextMs: null; aside: false }
  | { state: "pending"; nextMs: number; aside: boolean }
  | { state: "given-up"; nextMs: null; aside: boolean };

export function fateOf(tried: Tried, { createdMs, tries, nowMs, jitter }: Attempt): Fate {
  if (tried.kind === "answered" && tried.status >= 200 && tried.status < 300)
    return { state: "delivered", nextMs: null, aside: false };
  const aside = tried.kind === "answered" && isAboutTheMessage(tried.status);
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 20), LONGEST_PAUSE_MS) * (0.5 + jitter / 2);
  const asked = tried.kind === "answered" ? Math.min(tried.retryAfterMs ?? 0, LONGEST_PAUSE_MS) : 0;
  const nextMs = nowMs + Math.max(pause, asked);
  if (nextMs - createdMs > GIVE_UP_AFTER_MS) return { state: "given-up", nextMs: null, aside };
  return { state: "pending", nextMs, aside };
}

/**
 * A receiver that is down, busy or broken answers the next message no better, so the order is kept and all wait.
 * A 4xx is about this message: it is tried again aside, and the others go on.
 */
function isAboutTheMessage(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}
