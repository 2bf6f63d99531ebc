// The last attempts with their evidence, kept on the device for the person who stands before it.
import { OutcomeReport, Phase, Timestamp } from "@context-edge/protocol";
import { z } from "zod";
import { checkedFile } from "./checked-file.ts";

export const PastAttempt = z.object({
  id: z.string(),
  started_at: Timestamp,
  steps: z.array(z.object({ phase: Phase, at: Timestamp })),
  report: OutcomeReport,
});
export type PastAttempt = z.infer<typeof PastAttempt>;

const KEPT = 50;

export interface History {
  /** Newest first. */
  all(): readonly PastAttempt[];
  /** The second time with the same id changes nothing. */
  add(attempt: PastAttempt): Promise<void>;
}

export async function openHistory(path: string): Promise<History> {
  const file = checkedFile(path, z.array(PastAttempt));
  const loaded = await file.load();
  let attempts = loaded.is === "whole" ? loaded.value : [];
  return {
    all: () => attempts,
    async add(attempt) {
      if (attempts.some((one) => one.id === attempt.id)) return;
      const next = [attempt, ...attempts].slice(0, KEPT);
      await file.save(next);
      attempts = next;
    },
  };
}
