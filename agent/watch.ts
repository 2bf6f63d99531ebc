// Follows the hub: one held request for the manifest, the assignment when it changed, and a bell for the loop.
import type { Trouble } from "@context-edge/protocol";
import type { Logger } from "pino";
import { SLACK_MS } from "./core/allowance.ts";
import { nextDelayMs } from "./core/backoff.ts";
import { instant, timestamp } from "./core/instant.ts";
import type { Clock } from "./effects/clock.ts";
import type { Documents } from "./effects/documents.ts";
import type { Hub, HubFailure } from "./effects/hub-client.ts";
import { pause } from "./effects/pause.ts";
import type { Session } from "./effects/session.ts";
import type { Vitals } from "./effects/vitals.ts";

/** What the device last heard of its hub, for the status page. */
export interface HubLink {
  state: "never" | "answering" | "failing";
  lastAnswerAt: string | null;
  /** The present failure to reach the hub, or the document that was refused. */
  trouble: Trouble | null;
  /** Only refusals: those the hub is told of. */
  refused: Trouble | null;
}

export interface Watching {
  hub: Hub;
  session: Session;
  documents: Documents;
  link: HubLink;
  log: Logger;
  vitals: Vitals;
  clock: () => number;
  jitter: () => number;
  pollWaitSeconds: number;
  pollMinMs: number;
  pollMaxMs: number;
  /** A document was accepted. */
  changed(): void;
  /** Aborted when somebody wants the hub asked now; replaced by every poll. */
  nudge: { now: AbortController };
}

type Polled = { ok: true } | { ok: false; retryAfterMs: number };

export async function watchHub(watching: Watching, signal: AbortSignal): Promise<void> {
  const { pollMinMs, pollMaxMs, jitter } = watching;
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    const nudged = new AbortController();
    watching.nudge.now = nudged;
    watching.vitals.expect("the watch of the hub", "asking", watching.pollWaitSeconds * 1_000 + SLACK_MS);
    const round = AbortSignal.any([signal, nudged.signal]);
    const polled = await pollOnce(watching, watching.pollWaitSeconds, round).catch((error: unknown) => {
      if (nudged.signal.aborted) return { ok: true } as const;
      // Our own disk, not the hub: documents could not be kept. Come back later.
      if (!signal.aborted) watching.log.error({ err: error }, "the hub's answer could not be kept");
      return { ok: false, retryAfterMs: 0 } as const;
    });
    failures = polled.ok ? 0 : failures + 1;
    const delayMs = polled.ok
      ? // A hub that does not hold the request must not be asked in a tight circle.
        pollMinMs * (0.5 + jitter()) - (performance.now() - startedAt)
      : Math.max(
          polled.retryAfterMs,
          nextDelayMs(failures, { minMs: Math.max(1, pollMinMs), maxMs: pollMaxMs }, jitter()),
        );
    watching.vitals.expect("the watch of the hub", "waiting", Math.max(0, delayMs) + SLACK_MS);
    if (delayMs > 0 && !nudged.signal.aborted) await pause(delayMs, round);
  }
}

/** One round: credential, assignment if it is unknown or changed, manifest. */
export async function pollOnce(watching: Watching, waitSeconds: number, signal: AbortSignal): Promise<Polled> {
  const { hub, session, documents } = watching;
  const credential = await session.credential(signal);
  if (!credential.ok) return failed(watching, credential);
  if (!documents.assignment()) {
    const assigned = await fetchAssignment(watching, credential.credential, signal);
    if (!assigned.ok) return assigned;
  }
  const etag = documents.etag();
  const answer = await hub.manifest({ credential: credential.credential, etag, waitSeconds }, signal);
  if (!answer.ok) {
    // No manifest for this group yet is an answer, not a failure of the hub.
    if (answer.code === "NO_MANIFEST") return answered(watching, null);
    return failed(watching, answer);
  }
  if (answer.assignment !== null && answer.assignment !== documents.assignment()?.sequence) {
    const assigned = await fetchAssignment(watching, credential.credential, signal);
    if (!assigned.ok) return assigned;
  }
  if (!answer.fresh) return answered(watching, null);
  const refused = await documents.offerManifest(answer.fresh.envelope, answer.fresh.etag);
  if (!refused) watching.changed();
  return answered(watching, refused);
}

async function fetchAssignment(watching: Watching, credential: string, signal: AbortSignal): Promise<Polled> {
  const answer = await watching.hub.assignment(credential, signal);
  if (!answer.ok) return failed(watching, answer);
  const before = watching.documents.assignment()?.sequence;
  const refused = await watching.documents.offerAssignment(answer.envelope);
  if (refused) return answered(watching, refused);
  // Another group, or a hold that began or ended.
  if (watching.documents.assignment()?.sequence !== before) watching.changed();
  return { ok: true };
}

function answered({ link, log, clock }: Watching, refused: Trouble | null): Polled {
  if (refused && refused.code !== link.refused?.code) log.error(refused, "a document of the hub was refused");
  link.state = "answering";
  link.lastAnswerAt = timestamp(clock());
  link.trouble = refused;
  link.refused = refused;
  return refused ? { ok: false, retryAfterMs: 0 } : { ok: true };
}

function failed({ link, log, session }: Watching, failure: HubFailure): Polled {
  const { code, message, nextStep, status, retryAfterMs } = failure;
  if (link.trouble?.code !== code) log.warn({ code, status }, `the hub cannot be followed: ${message}`);
  link.state = "failing";
  link.trouble = { code, message: `the hub cannot be followed: ${message}`, next_step: nextStep };
  if (status === 401) session.forget();
  return { ok: false, retryAfterMs: retryAfterMs ?? 0 };
}

/** Since when the manifest may no longer be installed from, or null. */
export function expiredTrouble(documents: Documents): Trouble | null {
  const manifest = documents.manifest();
  if (!manifest || instant(manifest.expires_at) > documents.now()) return null;
  return {
    code: "MANIFEST_EXPIRED",
    message: `the hub's last word expired at ${manifest.expires_at}: what runs goes on running, nothing new is installed`,
    next_step: "Bring the device in reach of its hub, or check the clock of the device.",
  };
}

/** The machine's clock stands before what signed documents prove. */
export function clockTrouble(clock: Clock): Trouble | null {
  if (clock.isPlausible()) return null;
  return {
    code: "CLOCK",
    message: "this device's clock is behind: times shown here are counted on from the hub's last word",
    next_step: "Check time synchronisation (and the clock battery); installing goes on meanwhile.",
  };
}
