// Tells the hub where the device stands: at every change, and as a heartbeat. Never waited for by a transaction.
import type { Observed } from "@context-edge/protocol";
import type { Logger } from "pino";
import { READING_MS, SLACK_MS } from "./core/allowance.ts";
import { nextDelayMs } from "./core/backoff.ts";
import { type Bell, bell } from "./effects/bell.ts";
import type { Hub } from "./effects/hub-client.ts";
import type { Outbox } from "./effects/outbox.ts";
import { pause } from "./effects/pause.ts";
import type { Session } from "./effects/session.ts";
import type { Vitals } from "./effects/vitals.ts";

export interface Reporting {
  device: string;
  hub: Hub;
  session: Session;
  outbox: Outbox;
  log: Logger;
  vitals: Vitals;
  heartbeatMs: number;
  jitter: () => number;
  observe(signal: AbortSignal): Promise<Observed>;
}

export interface Reporter {
  changed(): void;
  run(signal: AbortSignal): Promise<void>;
  /** Sends now, until nothing is pending. @returns false when the hub did not take it. */
  flush(signal: AbortSignal): Promise<boolean>;
}

/** Changes that follow each other within this time travel together. */
const GATHER_MS = 60;
const BACKOFF = { minMs: 1_000, maxMs: 120_000 };

export function reporter(reporting: Reporting): Reporter {
  const changes: Bell = bell();
  const send = async (signal: AbortSignal): Promise<{ ok: true } | { ok: false; retryAfterMs: number }> => {
    const { outbox, session, hub, device } = reporting;
    const credential = await session.credential(signal);
    if (!credential.ok) return { ok: false, retryAfterMs: 0 };
    do {
      const observed = { number: await outbox.nextObservedNumber(), state: await reporting.observe(signal) };
      const report = { device, outbox: outbox.id, observed, outcomes: outbox.pending() };
      const answer = await hub.report(credential.credential, report, signal);
      if (!answer.ok) return { ok: false, retryAfterMs: answer.retryAfterMs ?? 0 };
      const before = outbox.pending().length;
      await outbox.acknowledged(answer.receipt.accepted_through);
      // A hub that takes a report and acknowledges nothing must not be sent it in a circle.
      if (before > 0 && outbox.pending().length === before) return { ok: false, retryAfterMs: 0 };
    } while (outbox.pending().length > 0);
    return { ok: true };
  };

  return {
    changed: () => changes.ring(),

    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        // A first report waits until the models' directories were read.
        reporting.vitals.expect("the reporter", "reporting", READING_MS);
        const sent = await send(signal).catch((error: unknown) => {
          if (!signal.aborted) reporting.log.error({ err: error }, "a report could not be made");
          return { ok: false, retryAfterMs: 0 } as const;
        });
        failures = sent.ok ? 0 : failures + 1;
        if (!sent.ok) {
          const delayMs = Math.max(sent.retryAfterMs, nextDelayMs(failures, BACKOFF, reporting.jitter()));
          reporting.vitals.expect("the reporter", "waiting", delayMs + SLACK_MS);
          await pause(delayMs, signal);
          continue;
        }
        reporting.vitals.expect("the reporter", "waiting for news", 2 * reporting.heartbeatMs + SLACK_MS);
        await changes.heard(reporting.heartbeatMs * (0.8 + 0.4 * reporting.jitter()), signal);
        await pause(GATHER_MS, signal);
      }
    },

    async flush(signal) {
      return (await send(signal).catch(() => ({ ok: false }) as const)).ok;
    },
  };
}
