// Where one model's things lie: its files and slot links in the open, the agent's own notes under `.agent/`.
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_MODEL, type Digest, type ModelName } from "@context-edge/protocol";
import { AgentError, isMissing } from "../errors.ts";

export interface ModelDirectory {
  path: string;
  currentLink: string;
  backupLink: string;
  journal: string;
  /** What is known of the engines that were built here. */
  engines: string;
  /** The end of what the last build printed, for diagnostics. */
  buildLog: string;
  /** Where a build works. @param name unique, so that a build that outlived its agent writes nowhere else */
  staging(digest: Digest, name: string): string;
  partial(digest: Digest): string;
  statement(digest: Digest): string;
  file(name: string): string;
}

/** Ends the name of what is being built; trtexec puts a lock beside its cache, which ends otherwise. */
const STAGED = ".staged";

/** @param modelsDir root of all models; `default` lives in it, any other in a folder of its name. */
export function modelDirectory(modelsDir: string, model: ModelName, linkName: string): ModelDirectory {
  const path = model === DEFAULT_MODEL ? modelsDir : join(modelsDir, model);
  const own = join(path, ".agent");
  return {
    path,
    currentLink: join(path, linkName),
    backupLink: join(path, `${linkName}.backup`),
    journal: join(own, "journal.json"),
    engines: join(own, "engines.json"),
    buildLog: join(own, "build.log"),
    staging: (digest, name) => join(own, "partial", `${digest}.${name}${STAGED}`),
    partial: (digest) => join(own, "partial", `${digest}.part`),
    statement: (digest) => join(own, "statements", `${digest}.json`),
    file: (name) => join(path, name),
  };
}

/** Staging must lie on the models' own filesystem, or the rename that publishes a file could not be atomic. */
export async function prepareModelDirectory({ path }: ModelDirectory): Promise<void> {
  const own = join(path, ".agent");
  for (const folder of [path, own, join(own, "partial"), join(own, "statements")]) {
    await mkdir(folder, { recursive: true });
  }
  const [outer, ...inner] = await Promise.all([path, own, join(own, "partial")].map((folder) => lstat(folder)));
  for (const stat of inner) {
    if (stat.isSymbolicLink() || stat.dev !== outer?.dev) {
      throw new AgentError(
        "STAGING_ELSEWHERE",
        `${own} must be a plain folder on the same filesystem as ${path}`,
        "Mount the whole models directory, not parts of it, and remove links in it.",
      );
    }
  }
}

/** What builds left in the middle; never called while one runs. */
export async function dropStaged({ path }: Pick<ModelDirectory, "path">): Promise<void> {
  const folder = join(path, ".agent", "partial");
  for (const name of await namesIn(folder)) {
    if (name.includes(STAGED)) await rm(join(folder, name), { force: true });
  }
}

/** Deletes partial downloads and statements of digests nobody needs any more. */
export async function dropLeftovers({ path }: ModelDirectory, keep: readonly Digest[]): Promise<void> {
  await dropStaged({ path });
  for (const folder of ["partial", "statements"]) {
    const full = join(path, ".agent", folder);
    for (const name of await namesIn(full)) {
      if (!keep.some((digest) => name.startsWith(digest))) await rm(join(full, name), { force: true });
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
