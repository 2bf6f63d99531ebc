// What a person at the device may order: the backup back in place, as a rollback like any other, told to the hub like any other.
import { isMadeOf, namedAs } from "./built.ts";
import type { Candidate, Conclusion, Journal, Order, State, Swap } from "./state.ts";
import { refOf } from "./state.ts";
import { newAttempt, REPAIR, restoring } from "./transitions.ts";

/**
 * The version that runs is refused by this device from now on, or the hub's target would bring it straight back; a
 * "retry" of the deployment lifts that. Without a backup the order is marked as heard and nothing else happens.
 */
export function obeyed({ journal, disk, wish, model, now }: State, order: Order): Journal {
  const heard: Journal = { ...journal, handledOrder: order.id };
  const { current, backup } = disk;
  if (current.is !== "file" || backup.is !== "file") return heard;
  const asked = wish.is === "nothing" ? null : wish.candidate;
  const last = journal.lastOutcome;
  const candidate: Candidate = {
    ...REPAIR,
    ...namedAs(current),
    model,
    deploymentId: asked && isMadeOf(current, asked) ? asked.deploymentId : (last?.deployment_id ?? "local-rollback"),
    // The quarantine falls to a larger number only.
    retry: asked?.retry ?? 0,
  };
  const verdict: Conclusion = {
    outcome: "rolled-back",
    code: "ROLLED_BACK_BY_HAND",
    message: `somebody at the device put ${backup.version} back in place of ${current.version}`,
    nextStep: `Ask at the device what was wrong with ${current.version}; retry the deployment when it may come back.`,
    evidence: {},
    refuse: true,
  };
  const swap: Swap = {
    file: current.file,
    previous: refOf(backup),
    formerBackup: null,
    baseline: null,
    evidence: {},
  };
  // Named by the order, so that however often it is carried out it is told once.
  const attempt = { ...newAttempt(candidate, now), id: `order-${order.id}` };
  return restoring(heard, attempt, swap, verdict, now);
}
