// One device of a simulated fleet: on the real wire, with real signatures, and everything it did written down for the test to judge.
import { createHash } from "node:crypto";
import {
  Assignment,
  ASSIGNMENT_HEADER,
  ASSIGNMENT_PAYLOAD_TYPE,
  DEVICE_ROUTES,
  isInWave,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  openEnvelope,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  type Observed,
  type OutcomeReport,
  type PublicKey,
  type Report,
  type Target,
} from "@context-edge/protocol";
import { JOIN_TOKEN } from "./test-hub.ts";

export type Behaviour = "keeps" | "rolls-back" | "fails";

interface Settings {
  id: string;
  group: string;
  hubUrl: string;
  hubKey: PublicKey;
  releaseKey: PublicKey;
  /** 0 to 1, the same for the same seed. */
  random: () => number;
  behave: (version: string, device: string) => Behaviour;
}

type Running = { version: string; digest: string } | null;

export interface SimulatedDevice {
  readonly id: string;
  readonly current: Running;
  /** Every version whose file it switched to, in order, rollbacks left out. */
  readonly activated: readonly { version: string; deployment: string }[];
  /** Outcomes the hub has acknowledged. */
  readonly acknowledged: readonly OutcomeReport[];
  /** What a hub must never do. */
  readonly violations: readonly string[];
  setOffline(isOffline: boolean): void;
  stop(): Promise<void>;
}

const WAIT_S = 2;
const BACKOFF_MS = 100;
/** Between two reports: so many that a gate can judge even a wave of one device by its next report. */
const PREDICTIONS = 200;
const INVENTORY = { agent_version: "simulated", arch: "arm64" };
export async function simulateDevice(settings: Settings): Promise<SimulatedDevice> {
  const { id, hubUrl, random } = settings;
  const stopping = new AbortController();
  const activated: { version: string; deployment: string }[] = [];
  const acknowledged: OutcomeReport[] = [];
  const violations: string[] = [];
  const quarantined = new Map<string, number>();
  const outbox = crypto.randomUUID();
  let current: Running = null;
  let pending: { number: number; report: OutcomeReport }[] = [];
  let number = 0;
  let etag = "";
  let sequence = 0;
  let isAway = false;
  let orders: readonly Target[] = [];
  let assignment: Assignment | null = null;
  let lastOutcome: OutcomeReport | null = null;

  const enrolled = await fetch(`${hubUrl}${DEVICE_ROUTES.enroll}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ join_token: JOIN_TOKEN, device_id: id, group: settings.group, inventory: INVENTORY }),
  });
  const { credential } = (await enrolled.json()) as { credential: string };
  const headers = { authorization: `Bearer ${credential}` };
  const get = (path: string, more: Record<string, string> = {}) =>
    fetch(`${hubUrl}${path}`, { headers: { ...headers, ...more }, signal: stopping.signal });

  async function report(underWay: Observed["models"][string]["attempt"] = null): Promise<void> {
    number += 1;
    const at = new Date().toISOString();
    const counts = { predictions: number * PREDICTIONS, errors: 0, avg_ms: 5 };
    const stats = current && { since: at, digest: current.digest, ...counts };
    const slots = { current, backup: null, current_since: at };
    const model = { ...slots, attempt: underWay, last_outcome: lastOutcome, quarantined: [], stats };
    const state = {
      at,
      phase: underWay?.phase ?? ("idle" as const),
      inventory: INVENTORY,
      models: { default: { ...model, waiting: null } },
      hold: null,
      telemetry: null,
      trouble: null,
      manifest_sequence: sequence || null,
      status_url: null,
    };
    const body: Report = { device: id, outbox, observed: { number, state }, outcomes: pending };
    const send = () =>
      fetch(`${hubUrl}${DEVICE_ROUTES.reports}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: stopping.signal,
      });
    // Links lose answers: now and then everything is told twice, at once.
    const [answer] = await Promise.all(random() < 0.2 ? [send(), send()] : [send()]);
    if (!answer?.ok) throw new Error(`the report was answered ${answer?.status}`);
    const receipt = (await answer.json()) as { accepted_through: number };
    for (const one of pending) if (one.number <= receipt.accepted_through) acknowledged.push(one.report);
    pending = pending.filter((one) => one.number > receipt.accepted_through);
  }

  async function learnAssignment(): Promise<void> {
    const answer = await get(DEVICE_ROUTES.assignment);
    if (!answer.ok) throw new Error(`the assignment was answered ${answer.status}`);
    const opened = openEnvelope(await answer.json(), {
      payloadType: ASSIGNMENT_PAYLOAD_TYPE,
      keys: [settings.hubKey],
      schema: Assignment,
    });
    if (!opened.ok) return void violations.push(`an assignment that does not verify: ${opened.problem}`);
    if (opened.value.device !== id) violations.push(`an assignment of ${opened.value.device}`);
    if (opened.value.sequence < (assignment?.sequence ?? 0)) violations.push("the assignment's sequence fell");
    assignment = opened.value;
  }

  async function attempt(target: Target, statement: Statement): Promise<void> {
    const variant = statement.variants[0];
    if (!variant || current?.digest === variant.digest) return;
    if ((quarantined.get(variant.digest) ?? -1) >= target.retry) return;
    const at = new Date().toISOString();
    const { version } = statement;
    const begun = { deployment_id: target.deployment_id, version, digest: variant.digest, started_at: at };
    await report({ ...begun, phase: "downloading", steps: [{ phase: "downloading", at }], download: null });
    const answer = await get(DEVICE_ROUTES.artifact(variant.digest));
    // A hub under pressure says so, and is asked again.
    if (!answer.ok) throw new Error(`the artifact was answered ${answer.status}`);
    const digest = createHash("sha256")
      .update(new Uint8Array(await answer.arrayBuffer()))
      .digest("hex");
    if (digest !== variant.digest) violations.push(`the artifact of ${version} has other bytes`);
    const before = current;
    const behaviour = settings.behave(version, id);
    if (behaviour !== "fails") {
      activated.push({ version, deployment: target.deployment_id });
      current = { version, digest: variant.digest };
      await report({ ...begun, phase: "probing", steps: [{ phase: "probing", at }], download: null });
    }
    if (behaviour !== "keeps") {
      current = before;
      quarantined.set(variant.digest, target.retry);
    }
    const [outcome, code] = (
      {
        keeps: ["committed", "OK"],
        "rolls-back": ["rolled-back", "GOLDEN_MISMATCH"],
        fails: ["failed", "DISK_FULL"],
      } as const
    )[behaviour];
    lastOutcome = {
      model: "default",
      version,
      digest: variant.digest,
      deployment_id: target.deployment_id,
      outcome,
      code,
      message: `${version} ${outcome}`,
      next_step: "",
      at: new Date().toISOString(),
      evidence: {},
    };
    pending.push({ number: number + 1, report: lastOutcome });
  }

  async function cycle(): Promise<void> {
    const answer = await get(DEVICE_ROUTES.manifest, { "if-none-match": etag, prefer: `wait=${WAIT_S}` });
    const told = Number(answer.headers.get(ASSIGNMENT_HEADER));
    if (answer.ok || answer.status === 304) {
      if (told !== assignment?.sequence) await learnAssignment();
    }
    if (answer.ok) {
      const opened = openEnvelope(await answer.json(), {
        payloadType: MANIFEST_PAYLOAD_TYPE,
        keys: [settings.hubKey],
        schema: Manifest,
      });
      if (!opened.ok) return void violations.push(`a manifest that does not verify: ${opened.problem}`);
      const manifest = opened.value;
      // Moved between the two answers: the next poll brings the manifest of the new group.
      if (manifest.group !== assignment?.group) {
        etag = "";
        return;
      }
      etag = answer.headers.get("etag") ?? "";
      sequence = Math.max(sequence, manifest.sequence);
      orders = manifest.models;
    }
    // Level-triggered: what a lost connection left undone is looked at again in the next cycle.
    for (const target of orders) await follow(target);
    await report();
  }

  async function follow(target: Target): Promise<void> {
    const isMyTurn = isInWave(id, target.deployment_id, target.share);
    const offer = isMyTurn ? target.target : target.previous;
    if (!offer || target.paused) return;
    const opened = openEnvelope(offer.statement, {
      payloadType: STATEMENT_PAYLOAD_TYPE,
      keys: [settings.releaseKey],
      schema: Statement,
    });
    if (!opened.ok) return void violations.push(`a statement that does not verify: ${opened.problem}`);
    await attempt(target, opened.value);
  }

  const pause = () => new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * (0.5 + random())));
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      // A hub that is away changes nothing here: what runs goes on running.
      if (isAway) await pause();
      else await cycle().catch(pause);
    }
  })();

  return {
    id,
    activated,
    acknowledged,
    violations,
    get current() {
      return current;
    },
    setOffline(isOffline) {
      isAway = isOffline;
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
