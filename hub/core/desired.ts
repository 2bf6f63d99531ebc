// From a group's targets to the manifest its devices get. Pure: the publisher adds signature and sequence.
import type { Envelope, Manifest, ModelName, ProbePolicy, Target } from "@context-edge/protocol";
import type { TargetView } from "./sync.ts";

export interface TargetOrder {
  model: ModelName;
  view: TargetView;
  statement: Envelope;
  /** Of the version for devices outside the wave. */
  outsideStatement: Envelope | null;
}

export function manifestBody(
  group: string,
  orders: readonly TargetOrder[],
  policy: ProbePolicy,
  issue: { sequence: number; issuedAt: string; expiresAt: string },
): Manifest {
  return {
    schema: 1,
    group,
    sequence: issue.sequence,
    issued_at: issue.issuedAt,
    expires_at: issue.expiresAt,
    models: orders.map((order) => targetOf(order, policy)),
  };
}

function targetOf({ model, view, statement, outsideStatement }: TargetOrder, policy: ProbePolicy): Target {
  const { outsideVersion } = view;
  return {
    model,
    deployment_id: view.deploymentId,
    share: view.share,
    paused: view.paused,
    retry: view.retry,
    target: { version: view.version, statement },
    previous: outsideVersion && outsideStatement ? { version: outsideVersion, statement: outsideStatement } : null,
    policy,
  };
}

/** Rises always, and past anything issued before a backup was restored, as long as the clock has gone on since. */
export function nextSequence(last: number, nowMs: number): number {
  return Math.max(last + 1, nowMs);
}
