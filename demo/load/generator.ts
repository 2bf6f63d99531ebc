// Production in small: real samples through each device's inference service, and the truth about a share of them to the hub.
import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { InferResponse, type LabelledOutcome } from "@context-edge/protocol";
import got from "got";
import type { HubApi } from "../hub-api.ts";
import type { DemoDevice } from "../layout.ts";
import { mostLikely, toInferRequest, type HeldOut } from "./samples.ts";

export interface LoadPlan {
  devices: readonly DemoDevice[];
  heldOut: HeldOut;
  /** Mean pause between two samples of one device. */
  pauseMs: number;
  /** Share of predictions whose truth becomes known, 0 to 1. */
  labelledShare: number;
  flushMs: number;
}

/** Runs until `signal` aborts. A device without a model, or a hub that is away, only costs the samples of that moment. */
export async function generateLoad(hub: HubApi, plan: LoadPlan, signal: AbortSignal): Promise<void> {
  const labelled = new Map<string, LabelledOutcome[]>();
  const remember = (digest: string, outcome: LabelledOutcome) =>
    labelled.set(digest, [...(labelled.get(digest) ?? []), outcome]);
  await Promise.all([
    ...plan.devices.map((device) => driveDevice(device, plan, remember, signal)),
    flushLabels(hub, labelled, plan.flushMs, signal),
  ]);
}

async function driveDevice(
  device: DemoDevice,
  { heldOut, pauseMs, labelledShare }: LoadPlan,
  remember: (digest: string, outcome: LabelledOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  const url = `http://127.0.0.1:${device.inferencePort}/v2/models/default/infer`;
  while (!signal.aborted) {
    const sample = heldOut.samples[randomInt(heldOut.samples.length)];
    const answer = sample ? await infer(url, toInferRequest(sample), signal) : undefined;
    const digest = answer?.parameters?.["digest"];
    if (sample && answer && typeof digest === "string" && Math.random() < labelledShare) {
      remember(digest, {
        device_id: device.id,
        prediction_id: randomUUID(),
        predicted: mostLikely(heldOut.classes, (answer.outputs[0]?.data ?? []).map(Number)),
        actual: heldOut.classes[sample.label] ?? "unknown",
        at: new Date().toISOString(),
      });
    }
    await pause(pauseMs * (0.5 + Math.random()), signal);
  }
}

async function infer(url: string, json: object, signal: AbortSignal): Promise<InferResponse | undefined> {
  try {
    const body = await got.post(url, { json, signal, retry: { limit: 0 }, timeout: { request: 10_000 } }).json();
    return InferResponse.parse(body);
  } catch {
    return undefined;
  }
}

async function flushLabels(
  hub: HubApi,
  labelled: Map<string, LabelledOutcome[]>,
  flushMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(flushMs, signal);
    const devices = await hub.devices().catch(() => []);
    const running = new Map(devices.map((device) => [device.id, device.models["default"]?.current ?? undefined]));
    const byVersion = new Map<string, LabelledOutcome[]>();
    for (const [digest, outcomes] of labelled) {
      for (const outcome of outcomes) {
        const current = running.get(outcome.device_id);
        // A prediction from the moment of a swap, or of a device the hub does not answer for, is nobody's.
        if (current?.digest !== digest) continue;
        byVersion.set(current.version, [...(byVersion.get(current.version) ?? []), outcome]);
      }
    }
    labelled.clear();
    for (const [version, outcomes] of byVersion) await hub.postOutcomes(version, outcomes).catch(() => undefined);
  }
}

/** A pause that ends early, and quietly, when the demo stops. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}
