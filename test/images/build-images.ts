// Before the tests of the images: starts the engine, makes the builder, and builds hub and agent, or says why not.
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { makeBuilder } from "./builder.ts";
import { docker, DOCKER, execute, obstacle, startEngine } from "./engine.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Null: no engine starts here, and the tests are skipped. */
    engine: { host: string; registry: string } | null;
  }
}

const DIRECTORY = process.env["CONTEXT_EDGE_DOCKER"] ?? join(tmpdir(), "context-edge-docker");
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const REGISTRY = "registry.invalid/test";

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const skip = (why: string) => {
    process.stderr.write(`SKIPPED: no image can be built here: ${why}.\n`);
    project.provide("engine", null);
    return undefined;
  };
  await mkdir(DIRECTORY, { recursive: true });
  const why = await obstacle(DIRECTORY);
  if (why !== null) return skip(why);
  const engine = await startEngine(DIRECTORY);
  if ("why" in engine) return skip(engine.why);
  const noBuilder = await makeBuilder(engine.host, DIRECTORY);
  if (noBuilder !== null) {
    await engine.stop();
    return skip(noBuilder);
  }
  const built = await build(engine.host);
  if (built !== null) {
    await engine.stop();
    // What can be built elsewhere must be built here: this is a failure and no reason to skip.
    throw new Error(built);
  }
  project.provide("engine", { host: engine.host, registry: REGISTRY });
  return async () => {
    // Images that have lost their name to newer ones.
    await docker(engine.host, "image", "prune", "--force");
    await engine.stop();
  };
}

/** By the command that the documents name. The host's network, since this engine has none of its own. */
async function build(host: string): Promise<string | null> {
  const options = ["--registry", REGISTRY, "--tag", "test", "--network", "host"];
  const built = await execute(process.execPath, [join(ROOT, "docker/build.ts"), ...options], {
    DOCKER,
    DOCKER_HOST: host,
  });
  return built.exitCode === 0 ? null : `the images were not built:\n${built.stderr.slice(-4_000)}`;
}
