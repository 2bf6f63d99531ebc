// Times an engine with NVIDIA's own trtexec, for devices whose service cannot be asked. It proves the file, not the service.
import { readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import type { Measurement, ProbePolicy } from "@context-edge/protocol";
import { explainLoadFailure } from "../../core/engine.ts";
import { type CommandEnd, runCommand } from "../run-command.ts";
import type { Look, Probe } from "./probe.ts";
import { conditions, tagsOf } from "./tags.ts";
import { figuresOf } from "./timing.ts";
import { parseTimes, parseTrtexec, type TrtexecSummary } from "./trtexec-output.ts";

export interface TrtexecSettings {
  /** AGENT_TRTEXEC. */
  program: string;
  /** AGENT_TRTEXEC_ARGS, such as shapes. */
  more: readonly string[];
  /** Absolute path of the slot link: what it leads to is timed. */
  link: string;
}

/** Loading an engine, without timing it. */
const LOAD_MS = 120_000;
const UNKNOWN_FLAG = /Unknown option|Unrecognized|unknown argument/i;
/** Defaults since TensorRT 11, which refuses some of them. */
const STEADY = ["--useSpinWait", "--noDataTransfers"];

export function trtexecProbe({ program, more, link }: TrtexecSettings): Probe {
  const engine = `--loadEngine=${link}`;
  const run = (words: readonly string[], deadlineMs: number, signal: AbortSignal): Promise<CommandEnd> =>
    runCommand([program, engine, ...words, ...more], { deadlineMs, environment: {}, signal });

  /** The engine that was proved to load: loading it anew at every look of a soak would take the GPU from the service. */
  let proved: string | null = null;
  const look = async (signal: AbortSignal): Promise<Look> => {
    const identity = await identityOf(link);
    if (identity === null) return { ready: false, digest: null, detail: `${link} leads to no file` };
    if (identity === proved) return PROVED;
    const end = await run(["--skipInference"], LOAD_MS, signal);
    signal.throwIfAborted();
    const { passed, error } = parseTrtexec(`${end.stdout}\n${end.stderr}`);
    if (end.exitCode === 0 && passed) {
      proved = identity;
      return PROVED;
    }
    const said = `${error} ${end.stderr}`.trim();
    return { ready: false, digest: null, detail: explainLoadFailure(said)?.message ?? said.slice(0, 500) };
  };

  return {
    look,
    // The program knows inputs and times, but not what the answers should be.
    checkGolden: () => Promise.resolve(null),
    async measure({ policy }, signal): Promise<Measurement> {
      const before = await conditions();
      const steady = await timed(run, policy, STEADY, signal);
      const isRefused = steady.times.length === 0 && UNKNOWN_FLAG.test(steady.said);
      const { times, summary, flags } = isRefused ? await timed(run, policy, [], signal) : steady;
      const tags = tagsOf(before, await conditions());
      if (summary.version !== null) tags["trtexec"] = summary.version;
      tags["flags"] = flags.join(" ");
      const at = new Date().toISOString();
      if (summary.passed && times.length === 0 && summary.samples > 0) return { ...printed(summary), at, tags };
      const timesMs = summary.passed ? times : [];
      return { ...figuresOf({ timesMs, errors: timesMs.length === 0 ? 1 : 0 }), at, tags };
    },
    isAnswering: async (_probing, signal) => (await look(signal)).ready,
    counters: () => Promise.resolve(null),
    ownRequests: () => 0,
    setOwnRequests: () => undefined,
  };
}

const PROVED: Look = {
  ready: true,
  digest: null,
  detail: "trtexec proved that the file loads; it does not see what the service serves",
};

/** The file behind the link, and whether it was changed in place. */
async function identityOf(link: string): Promise<string | null> {
  try {
    const path = await realpath(link);
    const { ino, size, mtimeMs } = await stat(path);
    return [path, ino, size, mtimeMs].join(" ");
  } catch {
    return null;
  }
}

/** What was printed, for a trtexec that exported nothing. Without the 95th percentile the slowest that is known counts. */
function printed(summary: TrtexecSummary): Omit<Measurement, "at" | "tags"> {
  const { samples, meanMs, medianMs, maxMs, percentilesMs } = summary;
  const p95_ms = percentilesMs[95] ?? percentilesMs[99] ?? maxMs;
  return { samples, errors: 0, mean_ms: meanMs, p50_ms: medianMs, p95_ms, max_ms: maxMs };
}

interface Timing {
  times: number[];
  summary: TrtexecSummary;
  flags: readonly string[];
  said: string;
}

async function timed(
  run: (words: readonly string[], deadlineMs: number, signal: AbortSignal) => Promise<CommandEnd>,
  policy: ProbePolicy,
  flags: readonly string[],
  signal: AbortSignal,
): Promise<Timing> {
  const exported = join(tmpdir(), `trtexec-${randomUUID()}.json`);
  const seconds = Math.max(1, Math.ceil(policy.window_ms / 1_000));
  const words = [
    `--warmUp=${policy.warmup_ms}`,
    `--duration=${seconds}`,
    `--iterations=${policy.samples}`,
    "--avgRuns=10",
    "--percentile=50,90,95,99",
    ...flags,
    `--exportTimes=${exported}`,
  ];
  try {
    const end = await run(words, LOAD_MS + policy.warmup_ms + seconds * 2_000, signal);
    signal.throwIfAborted();
    const said = `${end.stdout}\n${end.stderr}`;
    const summary = parseTrtexec(said);
    const times = parseTimes(await readFile(exported, "utf8").catch(() => ""));
    return { times: end.exitCode === 0 ? times : [], summary, flags, said };
  } finally {
    await rm(exported, { force: true });
  }
}
