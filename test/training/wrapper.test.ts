// run-training.sh around a container engine that only writes down how it was called: what is mounted, what is told, and that no secret is.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { execute } from "./python.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-wrapper-"));
  const engine = join(dir, "docker");
  // Arguments one per line; then the settings as the engine would hand them on by name.
  writeFileSync(engine, `#!/bin/sh\nprintf '%s\\n' "$@" > ${dir}/called\nenv > ${dir}/environment\nexit 7\n`);
  chmodSync(engine, 0o755);
  writeFileSync(join(dir, "key.pem"), "the key");
  writeFileSync(
    join(dir, "training.env"),
    [
      "CONTEXT_EDGE_URL=https://hub.example",
      "CONTEXT_EDGE_TOKEN=cet_secret",
      `CONTEXT_EDGE_RELEASE_KEY_FILE=${dir}/key.pem`,
      'TRAINING_DATABASE_URL="postgres://me:hunter2@db/factory?a=1&b=2"',
      `TRAINING_WORK=${dir}`,
      "TRAINING_GPUS=none",
    ].join("\n"),
  );
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("the container gets key and work directory as mounts and settings by name, the run's exit code comes through", async () => {
  const env = { TRAINING_ENV_FILE: join(dir, "training.env"), TRAINING_DOCKER: join(dir, "docker") };
  const { code } = await execute("bash", ["training/run-training.sh", "--epochs", "3"], env);
  expect(code).toBe(7);
  const called = readFileSync(join(dir, "called"), "utf8").split("\n");
  expect(called[0]).toBe("run");
  expect(called).toContain(`type=bind,src=${dir}/key.pem,dst=/run/secrets/CONTEXT_EDGE_RELEASE_KEY_FILE,readonly`);
  expect(called).toContain(`type=bind,src=${dir},dst=/work`);
  expect(called.slice(-4)).toEqual(["context-edge-training", "--epochs", "3", ""]);
  expect(called).not.toContain("--gpus");
  for (const name of [
    "CONTEXT_EDGE_TOKEN",
    "TRAINING_DATABASE_URL",
    "CONTEXT_EDGE_RELEASE_KEY_FILE",
    "TRAINING_WORK",
  ]) {
    expect(called[called.indexOf(name) - 1], name).toBe("--env");
  }
  expect(called.join(" ")).not.toMatch(/secret[^s]|hunter2/);

  const handedOn = readFileSync(join(dir, "environment"), "utf8");
  expect(handedOn).toContain("TRAINING_DATABASE_URL=postgres://me:hunter2@db/factory?a=1&b=2\n");
  expect(handedOn).toContain("CONTEXT_EDGE_RELEASE_KEY_FILE=/run/secrets/CONTEXT_EDGE_RELEASE_KEY_FILE\n");
  expect(handedOn).toContain("TRAINING_WORK=/work\n");
});

test("a GPU is handed in where it is asked for", async () => {
  const env = { TRAINING_DOCKER: join(dir, "docker"), TRAINING_GPUS: "all", TRAINING_WORK: dir };
  await execute("bash", ["training/run-training.sh"], env);
  expect(readFileSync(join(dir, "called"), "utf8")).toContain("--gpus\nall\n");
});
