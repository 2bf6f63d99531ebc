// From a variant's file to an engine with a name: built aside, read back, hashed, recorded, and only then published. Cut anywhere, there is none or a whole one.
import { randomUUID } from "node:crypto";
import { lstat, rm } from "node:fs/promises";
import type { BuildOrder, Candidate } from "../../core/candidate.ts";
import { judgeBuilt, toolMissing, unloadable } from "../../core/build-complaints.ts";
import { explainLoadFailure } from "../../core/engine.ts";
import { timestamp } from "../../core/instant.ts";
import type { BuiltFile, Mishap } from "../../core/steps.ts";
import {
  buildArguments,
  explainBuildFailure,
  isTimingCacheBad,
  loadArguments,
  NOT_SAVED,
  stageOf,
} from "../../core/trtexec-build.ts";
import { mishapOf } from "../../errors.ts";
import { hashHandle, openRegular } from "../digest.ts";
import { replaceFile } from "../durable-file.ts";
import { readEngineHeader } from "../engine-header.ts";
import { dropStaged, type ModelDirectory } from "../model-directory.ts";
import { parseTrtexec } from "../probes/trtexec-output.ts";
import { isProgram } from "../program.ts";
import { publish } from "../publish.ts";
import { type CommandEnd, runCommand } from "../run-command.ts";
import { checkFree } from "../space.ts";
import { gentleWords } from "./gentle.ts";
import { ENGINE_FORMAT, type EngineRecords } from "./engine-records.ts";
import type { Stages } from "./stages.ts";
import { timingCache } from "./timing-cache.ts";

export interface Building {
  directory: ModelDirectory;
  engines: EngineRecords;
  /** `<models directory>/.agent`, where timing caches lie. */
  ownDir: string;
  /** AGENT_TRTEXEC. */
  program: string;
  reserveBytes: number;
  candidate: Candidate & { build: BuildOrder };
  /** Absolute path of the variant's file, verified. */
  onnx: string;
  /** Names the slots point to. */
  held: readonly string[];
  /** Milliseconds since the epoch. */
  now: () => number;
  stages: Stages;
  signal: AbortSignal;
}

export type BuildResult = ({ ok: true } & BuiltFile) | { ok: false; mishap: Mishap };

/** Loading an engine from the disk, without timing it. */
const LOAD_MS = 120_000;
const LOG_CHARACTERS = 64 * 1024;

/** @throws only when `signal` aborts; nothing is left of the build then but what the next one throws away */
export async function buildEngine(building: Building): Promise<BuildResult> {
  const { directory, candidate, program } = building;
  if (!(await isProgram(program))) return failed(toolMissing(program));
  await dropStaged(directory);
  const name = randomUUID();
  const engine = directory.staging(candidate.digest, `${name}.engine`);
  const timing = directory.staging(candidate.digest, `${name}.timing`);
  try {
    return await buildAside(building, engine, timing);
  } catch (error) {
    building.signal.throwIfAborted();
    return failed(mishapOf(error));
  } finally {
    // Also what an abort leaves behind: its program is gone by now.
    for (const path of [engine, timing, `${timing}.lock`]) await rm(path, { force: true });
  }
}

async function buildAside(building: Building, engine: string, timing: string): Promise<BuildResult> {
  const { candidate, directory, engines, held, now, ownDir, stages, signal } = building;
  const startedMs = performance.now();
  const cache = timingCache(ownDir, candidate.build);
  await cache.lend(timing);
  const mishap = (await run(building, engine, timing)) ?? (await judgeFile(building, engine));
  if (mishap) return failed(mishap);

  stages.enter("checking that it loads");
  const handle = await openRegular(engine);
  try {
    await handle.chmod(0o444);
    await handle.sync();
    const { size } = await handle.stat();
    const digest = await hashHandle(handle, signal);
    const bad = await proveLoads(building, engine);
    if (bad) return failed(bad);
    const { version } = candidate;
    const built = { candidate, builtAt: timestamp(now()), tookMs: Math.round(performance.now() - startedMs) };
    await engines.add({ version, digest, sizeBytes: size, built });
    const named = { ...candidate, digest, sizeBytes: size, format: ENGINE_FORMAT };
    const published = await publish({ directory, candidate: named, part: engine, held, signal });
    if (published.is !== "published") return failed(NOT_SAVED);
    await cache.keep(timing);
    return { ok: true, file: published.file, digest, sizeBytes: size, built };
  } finally {
    await handle.close();
  }
}

/** @returns why there is no engine, null when trtexec says that there is one */
async function run(building: Building, engine: string, timing: string): Promise<Mishap | null> {
  const { candidate, directory, onnx, ownDir, stages, signal } = building;
  const { build } = candidate;
  const deadlineMs = build.recipe.deadline_minutes * 60_000;
  stages.enter("starting");
  const line = (text: string) => {
    const stage = stageOf(text);
    if (stage !== null) stages.enter(stage);
  };
  const words = buildArguments(build, { onnx, engine, timingCache: timing });
  const end = await trtexec(building, words, deadlineMs, line);
  const output = outputOf(end);
  await replaceFile(directory.buildLog, output.slice(-LOG_CHARACTERS)).catch(() => undefined);
  signal.throwIfAborted();
  // It is only a help: a build that stumbled over it is not held against the version.
  const isCacheBad = isTimingCacheBad(output);
  if (isCacheBad) await timingCache(ownDir, build).forget();
  if (end.exitCode === 0 && !end.isLate && parseTrtexec(output).passed) return null;
  const mishap = explainBuildFailure({ ...end, deadlineMs, output });
  if (mishap.code === NOT_SAVED.code) return orFull(building, mishap);
  return isCacheBad && mishap.kind === "permanent" ? { ...mishap, kind: "passing", spent: true } : mishap;
}

async function judgeFile(building: Building, engine: string): Promise<Mishap | null> {
  const stat = await lstat(engine).catch(() => null);
  if (stat?.isFile() !== true || stat.size === 0) return orFull(building, NOT_SAVED);
  return judgeBuilt(await readEngineHeader(engine), building.candidate.build);
}

async function proveLoads(building: Building, engine: string): Promise<Mishap | null> {
  const end = await trtexec(building, loadArguments(building.candidate.build, engine), LOAD_MS);
  building.signal.throwIfAborted();
  const output = outputOf(end);
  const { passed, error } = parseTrtexec(output);
  if (end.exitCode === 0 && passed) return null;
  return orFull(building, unloadable(explainLoadFailure(output)?.message ?? (error || "trtexec did not say why")));
}

/** A full disk passes by itself and says nothing of the build; what there is of the engine still lies on it. */
async function orFull({ directory, candidate, reserveBytes }: Building, mishap: Mishap): Promise<Mishap> {
  return (await checkFree(directory.path, candidate.sizeBytes + reserveBytes)) ?? mishap;
}

async function trtexec(
  { program, signal }: Building,
  words: readonly string[],
  deadlineMs: number,
  line?: (text: string) => void,
): Promise<CommandEnd> {
  const argv = [...(await gentleWords(signal)), program, ...words];
  return runCommand(argv, { deadlineMs, environment: {}, signal, ...(line ? { line } : {}) });
}

const outputOf = ({ stdout, stderr }: CommandEnd) => `${stdout}\n${stderr}`;
const failed = (mishap: Mishap) => ({ ok: false, mishap }) as const;
