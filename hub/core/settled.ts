// When a version counts as the one a group runs: only then may devices that join, or that a rollback sends back, be given it.
import type { Deployment } from "@context-edge/protocol";
import { isBeyond } from "./plan.ts";

/**
 * A deployment has settled in a group when it went through all of it and on, or ended there. One that was aborted, halted or
 * replaced half-way, or whose gate never passed, has proved nothing: what was there before it counts.
 */
export function isSettledIn(
  { kind, state, plan, step, shares }: Pick<Deployment, "kind" | "state" | "plan" | "step" | "shares">,
  group: string,
): boolean {
  if (kind === "rollback") return true;
  if ((shares[group] ?? 0) < 1) return false;
  if (state === "finished" || isBeyond(plan, step, group)) return true;
  return state === "awaiting-approval";
}
