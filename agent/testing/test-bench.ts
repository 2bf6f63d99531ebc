// One worker on a real directory with a service and a download made of air: fast enough to kill it at every step.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildRecipe, OutcomeReport } from "@context-edge/protocol";
import { pino } from "pino";
import type { z } from "zod";
import type { Order, State } from "../core/state.ts";
import type { Performers, Step } from "../core/steps.ts";
import { wishOf } from "../core/wish.ts";
import { deviceClock } from "../effects/clock.ts";
import { downloadLine } from "../effects/download-line.ts";
import { fingerprints } from "../effects/digest.ts";
import { openDocuments } from "../effects/documents.ts";
import { openHistory } from "../effects/history.ts";
import { modelDirectory } from "../effects/model-directory.ts";
import { openOutbox } from "../effects/outbox.ts";
import type { Probe } from "../effects/probes/probe.ts";
import { turns } from "../effects/turns.ts";
import { settle } from "../loop.ts";
import { openWorker } from "../worker.ts";
import { type Behaviour, type FakeModel, readModel } from "./fake-model.ts";
import { CAN_BUILD, QUICK_POLICY, sealAssignment, sealManifest, sealRecipe, targetOf, testKey } from "./signing.ts";
import { type StandInTrtexec, standInTrtexec } from "./stand-in-trtexec.ts";

export type Fault = "failed" | "killed before" | "killed after";

export interface Offered {
  /** The model is the file that the device builds its engine from. */
  build?: z.input<typeof BuildRecipe>;
}

export interface TestBench {
  dir: string;
  /** Offers a version and keeps its bytes for the download. */
  offer(model: FakeModel, how?: Offered): Promise<void>;
  /**
   * One life of the agent: settles until nothing is left to do, or dies at the n-th step (from 1).
   * @returns the steps it took
   */
  live(fault?: { at: number; how: Fault }): Promise<Step["do"][]>;
  /** A person at the device wants the backup back. */
  order(id: string): void;
  /** sha256 of what the slot link leads to; null without one. */
  current(): Promise<string | null>;
  served(): string | null;
  outcomes(): Promise<OutcomeReport[]>;
  stage(): State["journal"]["transaction"]["stage"];
  journalPath: string;
  trtexec: StandInTrtexec;
  close(): Promise<void>;
}

const RELEASE = testKey();
const HUB = testKey();
/** No chain of waits in these tests is longer. */
const CYCLES = 30;

export async function testBench(): Promise<TestBench> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-bench-"));
  const own = join(dir, ".agent");
  await mkdir(own);
  const directory = modelDirectory(dir, "default", "current.onnx");
  const trtexec = await standInTrtexec(await mkdtemp(join(dir, "trtexec-")));
  const inventory = { agent_version: "test", arch: "x86_64", ...CAN_BUILD };
  const artifacts = new Map<string, Buffer>();
  const log = pino({ level: "silent" });
  let clock = Date.now();
  let service: { digest: string; behaviour: Behaviour } | null = null;
  let order: Order | null = null;
  let sequence = 1;
  let stage: State["journal"]["transaction"]["stage"] = "resting";

  const openPapers = () =>
    openDocuments(
      join(own, "documents.json"),
      { device: "edge-001", hubKeys: [HUB.publicKey] },
      deviceClock(
        () => clock,
        () => clock,
      ),
    );
  const probe: Probe = {
    look: () => Promise.resolve({ ready: service !== null, digest: service?.digest ?? null, detail: "" }),
    checkGolden: () => Promise.resolve({ checked: 1, failed: service?.behaviour.factor === 2 ? 0 : 1 }),
    measure: () =>
      Promise.resolve({
        samples: 20,
        errors: 0,
        mean_ms: 1,
        p50_ms: 1,
        p95_ms: 1,
        max_ms: 1,
        at: new Date(clock).toISOString(),
        tags: {},
      }),
    isAnswering: () => Promise.resolve(service !== null),
    counters: () => Promise.resolve(null),
    ownRequests: () => 0,
    setOwnRequests: () => undefined,
  };
  const load = async () => {
    const bytes = await readFile(directory.currentLink);
    service = {
      digest: createHash("sha256").update(bytes).digest("hex"),
      behaviour: readModel(bytes).behaviour,
    };
  };

  const bench: TestBench = {
    dir,
    async offer(model, { build } = {}) {
      artifacts.set(model.digest, model.bytes);
      const documents = await openPapers();
      if (!documents.assignment()) await documents.offerAssignment(sealAssignment(1, "edge-001", "pilot", HUB));
      sequence += 1;
      const target = targetOf(model, RELEASE, {
        policy: { ...QUICK_POLICY, soak_ms: 0, cold_start_ms: 300 },
        ...(build ? { target: { version: model.version, statement: sealRecipe(model, RELEASE, build) } } : {}),
      });
      // By the bench's clock, which waits make run ahead.
      const at = (ms: number) => new Date(clock + ms).toISOString();
      const manifest = sealManifest(sequence, [target], HUB, { issued_at: at(0), expires_at: at(3_600_000) });
      const refused = await documents.offerManifest(manifest, null);
      if (refused) throw new Error(refused.message);
    },
    order(id) {
      order = { id };
    },
    async live(fault) {
      const stop = new AbortController();
      const documents = await openPapers();
      const outbox = await openOutbox(join(own, "outbox.json"));
      const worker = await openWorker({
        model: "default",
        directory,
        prints: fingerprints(),
        probe,
        reloader: {
          takes: "at-once",
          async reload({ file }) {
            service = null;
            if (file) await load();
            return { ok: true };
          },
        },
        documents,
        outbox,
        history: await openHistory(join(own, "history.json")),
        session: { credential: () => Promise.resolve({ ok: true, credential: "" }), forget: () => undefined },
        line: downloadLine({ environment: {}, minBytesPerS: 1 }),
        space: { ownDir: own, reserveBytes: 0, budgetBytes: null, published: () => Promise.resolve(0) },
        hubUrl: "http://127.0.0.1:9",
        artifactOrigins: [],
        releaseKeys: [RELEASE.publicKey],
        inventory,
        log,
        permit: () => ({ is: "open" }),
        order: () => order,
        askLeave: () => Promise.resolve({ answer: "go" }),
        asked: () =>
          wishOf({
            manifest: documents.manifest(),
            model: "default",
            device: "edge-001",
            inventory,
            releaseKeys: [RELEASE.publicKey],
            now: documents.now(),
          }),
        progress: () => undefined,
        builds: { program: trtexec.program, isAnyTime: false },
        building: () => undefined,
      });
      const steps: Step["do"][] = [];
      const download: Performers["fetch"] = async ({ candidate }) => {
        await writeFile(directory.partial(candidate.digest), artifacts.get(candidate.digest) ?? "");
        return { ok: true };
      };
      const perform = faulty(
        { ...worker.perform, fetch: download, "cool-down": () => Promise.resolve({ ok: true }) },
        steps,
        fault,
        stop,
      );
      const around = {
        stop: stop.signal,
        following: () => new AbortController().signal,
        moved: () => undefined,
        jitter: () => 0.5,
        stalls: 0,
        turn: turns(),
        quiet: turns(),
      };
      try {
        for (let cycle = 0; cycle < CYCLES; cycle += 1) {
          const comeBackMs = await settle({ ...worker, perform }, around);
          if (comeBackMs === null) break;
          clock += comeBackMs + 1;
        }
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
      stage = worker.latest().journal.transaction.stage;
      return steps;
    },
    current: async () => {
      const bytes = await readFile(directory.currentLink).catch(() => null);
      return bytes && createHash("sha256").update(bytes).digest("hex");
    },
    served: () => service?.digest ?? null,
    outcomes: async () => (await openOutbox(join(own, "outbox.json"))).pending().map((entry) => entry.report),
    stage: () => stage,
    journalPath: directory.journal,
    trtexec,
    close: () => rm(dir, { recursive: true, force: true }),
  };
  return bench;
}

/** Dying is an aborted stop: the loop lets go at once, and nothing of the step is remembered. */
function faulty(
  perform: Performers,
  steps: Step["do"][],
  fault: { at: number; how: Fault } | undefined,
  stop: AbortController,
): Performers {
  const wrap = (name: Step["do"]) => async (step: Step, signal: AbortSignal) => {
    steps.push(name);
    const isHit = fault?.at === steps.length;
    if (isHit && fault.how === "failed") {
      return { ok: false, mishap: { code: "MADE_UP", message: "made to fail", nextStep: "", kind: "passing" } };
    }
    if (isHit && fault.how === "killed before") stop.abort();
    signal.throwIfAborted();
    const act = perform[name] as (step: Step, signal: AbortSignal) => Promise<unknown>;
    const result = await act(step, signal);
    if (isHit) stop.abort();
    stop.signal.throwIfAborted();
    return result;
  };
  const names = Object.keys(perform) as Step["do"][];
  return Object.fromEntries(names.map((name) => [name, wrap(name)])) as unknown as Performers;
}
