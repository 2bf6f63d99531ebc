// The figures about a deployment's devices: predictions, errors, labels, time watched. Gate and pilot panel read the same ones.
import type { GatePolicy, GateReport, PilotMetrics } from "@context-edge/protocol";
import type { HubConfig } from "./config.ts";
import { accuracyOf, countLabels, falseNegativeRate, falsePositiveRate, type LabelCounts } from "./core/accuracy.ts";
import { DEFAULT_GATE, evaluateGate, missingFor } from "./core/gate.ts";
import type { Pair } from "./core/gate-latency.ts";
import { allowedBad } from "./core/plan.ts";
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
  /** Null where the plan has no gate. */
  gate: GateReport | null;
}

/** The guide's flow: a pilot, a day, then everybody. A fleet is allowed to be as much slower as each of its devices is. */
export const defaultGate = ({ gateSoakSeconds, probePolicy }: HubConfig): GatePolicy => ({
  ...DEFAULT_GATE,
  soak_seconds: gateSoakSeconds,
  max_p95_ratio: probePolicy.baseline_ratio,
  p95_floor_ms: probePolicy.baseline_floor_ms,
});

export async function figuresOf(
  store: Repositories,
  fleet: Fleet,
  deployment: DeploymentRecord,
  nowMs: number,
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
  const countsOf = async (version: string) => countLabels(await store.labels.counts(deployment.model, version));
  const labels = await countsOf(deployment.version);
  const earlier = mostCommonEarlier(fleet, deployment);
  const progress = progressOf(members);
  const { plan } = deployment;
  const gate =
    plan.gate &&
    evaluateGate(
      plan.gate,
      {
        progress,
        allowedBad: Math.max(deployment.tolerated, allowedBad(plan, progress.total - progress.waiting)),
        watched: watchedSeconds(deployment, nowMs),
        predictions,
        errors,
        labels,
        earlierLabels: earlier ? await countsOf(earlier) : null,
        earlierAccuracy: earlier ? (fleet.version(deployment.model, earlier)?.accuracy ?? null) : null,
        ownAccuracy: fleet.version(deployment.model, deployment.version)?.accuracy ?? null,
        latency: latencyOf(members),
      },
      new Date(nowMs).toISOString(),
    );
  return {
    members,
    predictions,
    errors,
    averageMs,
    labels,
    gate,
    watchedSeconds: monitoredSeconds(members, nowMs),
  };
}

/** Of the versions that its groups had before, the one that most devices come from. */
function mostCommonEarlier(fleet: Fleet, { previous, version }: DeploymentRecord): string | undefined {
  const devices = new Map<string, number>();
  for (const [group, before] of Object.entries(previous)) {
    if (before === null || before === version) continue;
    devices.set(before, (devices.get(before) ?? 0) + (fleet.tally(group)?.ids.size ?? 0));
  }
  return [...devices].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

/** How long each device has been seen to run it. */
const watchedSeconds = ({ watched }: DeploymentRecord, nowMs: number) =>
  Object.values(watched).map((since) => Math.max(0, (nowMs - Date.parse(since)) / 1_000));

/** Since the first device committed. */
function monitoredSeconds(members: readonly Member[], nowMs: number): number {
  const starts = members.flatMap(({ standing: { outcome } }) =>
    outcome?.outcome === "committed" ? [Date.parse(outcome.at)] : [],
  );
  return starts.length === 0 ? 0 : Math.max(0, (nowMs - Math.min(...starts)) / 1_000);
}

/** p95 before and after, of each device that kept this version and measured both in the same power mode. */
function latencyOf(members: readonly Member[]): Pair[] {
  return members.flatMap(({ standing: { outcome } }) => {
    const { baseline, candidate } = outcome?.evidence ?? {};
    const [before, after] = [baseline?.p95_ms, candidate?.p95_ms];
    const isComparable = baseline?.tags["power_mode"] === candidate?.tags["power_mode"];
    if (outcome?.outcome !== "committed" || before == null || after == null || !isComparable) return [];
    return [{ before, after }];
  });
}

export function pilotMetrics(deployment: DeploymentRecord, figures: Figures): PilotMetrics {
  const { members, labels, gate } = figures;
  const isPilot = deployment.kind === "pilot";
  const isHalted = deployment.state === "paused";
  const passed = isPilot && !isHalted && (gate?.verdict === "pass" || hasPassed(deployment));
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

/** The pilot's gate has passed, and what its devices have done since has not taken that back. */
export function hasPassed({ kind, state, gate }: DeploymentRecord): boolean {
  if (kind !== "pilot" || gate?.verdict === "fail") return false;
  return state === "awaiting-approval" || (state === "finished" && gate?.verdict === "pass");
}

export function blockersOf(deployment: DeploymentRecord, gate: GateReport | null): string[] {
  if (deployment.kind === "all") return [`${deployment.version} was deployed to all groups already`];
  if (deployment.kind !== "pilot") return [`${deployment.version} has not been on a pilot group yet`];
  const missing = gate && deployment.plan.gate ? missingFor(gate, deployment.plan.gate) : [];
  if (deployment.state === "paused") return [deployment.state_reason, ...missing];
  return missing.length > 0 ? missing : [`the pilot is ${deployment.state}: ${deployment.state_reason}`];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
