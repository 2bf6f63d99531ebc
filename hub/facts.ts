// The figures about a deployment's devices: predictions, errors, labels, time watched. Gate and pilot panel read the same ones.
import { type GateReport, type PilotMetrics } from "@context-edge/protocol";
import { accuracyOf, countLabels, falseNegativeRate, falsePositiveRate, type LabelCounts } from "./core/accuracy.ts";
import type { DeploymentFacts } from "./core/deployment.ts";
import { DEFAULT_GATE, evaluateGate, missingFor } from "./core/gate.ts";
import { progressOf, type Member } from "./core/progress.ts";
import type { Fleet } from "./fleet.ts";
import type { DeploymentRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

export interface Figures {
  members: Member[];
  predictions: number;
  errors: number;
  averageMs: number | null;
  labels: LabelCounts;
  watchedSeconds: number;
  soakedSeconds: number | null;
  gate: GateReport;
}

export async function figuresOf(
  store: Repositories,
  fleet: Fleet,
  deployment: DeploymentRecord,
  { soakSeconds, nowMs }: { soakSeconds: number; nowMs: number },
): Promise<Figures> {
  const members = fleet.members(deployment);
  const digests = fleet.version(deployment.model, deployment.version)?.variants.map(({ digest }) => digest) ?? [];
  const ids = new Set(members.map(({ id }) => id));
  const stats = fleet.devices.flatMap((device) => {
    const found = ids.has(device.id) ? device.observed?.models[deployment.model]?.stats : null;
    return found && digests.includes(found.digest) ? [found] : [];
  });
  const predictions = sum(stats.map((one) => one.predictions));
  const timed = stats.filter((one) => one.avg_ms !== null && one.predictions > 0);
  const weight = sum(timed.map((one) => one.predictions));
  const averageMs = weight === 0 ? null : sum(timed.map((one) => (one.avg_ms ?? 0) * one.predictions)) / weight;
  const errors = sum(stats.map((one) => one.errors));
  const labels = countLabels(await store.labels.counts(deployment.model, deployment.version));
  const earlier = Object.values(deployment.previous).find(
    (version) => version !== null && version !== deployment.version,
  );
  const soakedSeconds = deployment.soaking_since ? (nowMs - Date.parse(deployment.soaking_since)) / 1_000 : null;
  const gate = evaluateGate(
    { ...DEFAULT_GATE, soakSeconds },
    {
      progress: progressOf(members),
      soakedSeconds,
      predictions,
      errors,
      labels,
      earlierAccuracy: earlier ? (fleet.version(deployment.model, earlier)?.accuracy ?? null) : null,
    },
    new Date(nowMs).toISOString(),
  );
  return {
    members,
    predictions,
    errors,
    averageMs,
    labels,
    soakedSeconds,
    gate,
    watchedSeconds: watched(members, nowMs),
  };
}

/** Since the first device committed. */
function watched(members: readonly Member[], nowMs: number): number {
  const starts = members.flatMap(({ standing: { outcome } }) =>
    outcome?.outcome === "committed" ? [Date.parse(outcome.at)] : [],
  );
  return starts.length === 0 ? 0 : Math.max(0, (nowMs - Math.min(...starts)) / 1_000);
}

export function decisionFacts(deployment: DeploymentRecord, figures: Figures): DeploymentFacts {
  const bad = figures.members.flatMap(({ standing: { sync, outcome } }) =>
    sync === "failed" && outcome ? [outcome] : [],
  );
  const counts = new Map<string, number>();
  for (const { code } of bad) counts.set(code, (counts.get(code) ?? 0) + 1);
  const commonCode = [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  return {
    kind: deployment.kind,
    state: deployment.state,
    stateReason: deployment.state_reason,
    progress: progressOf(figures.members),
    gate: figures.gate,
    tolerated: deployment.tolerated,
    commonCode,
    commonMessage: bad.find(({ code }) => code === commonCode)?.message ?? null,
  };
}

export function pilotMetrics(deployment: DeploymentRecord, figures: Figures): PilotMetrics {
  const { members, labels, gate } = figures;
  const isPilot = deployment.kind === "pilot";
  const isHalted = deployment.state === "paused";
  const passed = isPilot && !isHalted && (gate.verdict === "pass" || hasPassed(deployment));
  const blockers = passed ? [] : blockersOf(deployment, gate);
  return {
    version_id: deployment.version,
    deployment_id: deployment.id,
    pilot_devices_total: members.length,
    pilot_devices_online: members.filter(({ online }) => online).length,
    monitoring_duration_hours: Number((figures.watchedSeconds / 3_600).toFixed(4)),
    predictions_total: figures.predictions,
    accuracy_validated: accuracyOf(labels),
    false_positive_rate: falsePositiveRate(labels),
    false_negative_rate: falseNegativeRate(labels),
    errors: figures.errors,
    avg_inference_time_ms: figures.averageMs === null ? null : Number(figures.averageMs.toFixed(4)),
    labelled_total: labels.total,
    can_deploy_to_all: passed,
    blockers,
  };
}

/** The pilot's gate has passed and nothing has taken that back since. */
export function hasPassed(deployment: DeploymentRecord): boolean {
  return (
    deployment.kind === "pilot" &&
    (deployment.state === "awaiting-approval" ||
      (deployment.state === "finished" && deployment.gate?.verdict === "pass"))
  );
}

export function blockersOf(deployment: DeploymentRecord, gate: GateReport): string[] {
  if (deployment.kind === "all") return [`${deployment.version} was deployed to all groups already`];
  if (deployment.kind !== "pilot") return [`${deployment.version} has not been on a pilot group yet`];
  const missing = missingFor(gate);
  if (deployment.state === "paused") return [deployment.state_reason, ...missing];
  return missing.length > 0 ? missing : [`the pilot is ${deployment.state}: ${deployment.state_reason}`];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
