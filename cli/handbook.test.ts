// The CI example of docs/cli.md, word for word: once installed, its steps run in an empty directory against a hub where tokens have scopes.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TokenScope } from "@context-edge/protocol";
import { createToken } from "../hub/operations/tokens.ts";
import { until, type TestDevice } from "../hub/testing/test-hub.ts";
import { MAIN, openScene, type Ended, type Scene } from "./testing/run-cli.ts";

const HANDBOOK = readFileSync(new URL("../docs/cli.md", import.meta.url), "utf8");
const YAML = /<!-- ci: [^]*?```yaml\n([^]*?)```/.exec(HANDBOOK)?.[1] ?? "";

/** The script of one step: what stands behind `run:`, or is indented below `run: |`. */
function stepOf(name: string): string {
  const [, step = ""] = YAML.split(`- name: ${name}\n`);
  const [own = ""] = step.split(/^ {2}- /m);
  const block = /^ {4}run: \|\n((?: {6}.*\n?)+)/m.exec(own)?.[1];
  return block?.replace(/^ {6}/gm, "") ?? /^ {4}run: (.+)$/m.exec(own)?.[1] ?? "";
}
/** The secret that a step names as its token. */
function tokenOf(name: string): string {
  const [, step = ""] = YAML.split(`- name: ${name}\n`);
  return /CONTEXT_EDGE_TOKEN: \$\{\{ secrets\.(\w+) \}\}/.exec(step)?.[1] ?? "";
}

let at: Scene;
let dir: string;
let secrets: Record<string, string>;
let devices: TestDevice[];
beforeEach(async () => {
  at = await openScene({ HUB_AUTH: "accounts" });
  dir = mkdtempSync(join(tmpdir(), "context-edge-ci-"));
  mkdirSync(join(at.dir, "bin"));
  chmodSync(at.file("bin/context-edge", `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`), 0o755);
  secrets = {};
  const scopes: [string, TokenScope][] = [
    ["HUB_PUBLISH_TOKEN", "publisher"],
    ["HUB_DEPLOY_TOKEN", "engineer"],
  ];
  await at.hub.hub.changes.make("the test", async (change) => {
    for (const [name, scope] of scopes) secrets[name] = (await createToken(change, { name, scope })).secret;
  });
  devices = [];
  for (const id of ["press-7", "press-8", "press-9"]) devices.push(await at.hub.enroll(id, "line-a"));
  const tensor = { name: "x", datatype: "FP32", shape: [1], data: [1] };
  const files = {
    "model.onnx": "a trained model",
    "orin.json": JSON.stringify({ arch: "arm64" }),
    "golden.json": JSON.stringify({
      tolerance: { x: { absolute: 0.1 } },
      samples: [{ inputs: [tensor], outputs: [tensor] }],
    }),
    "metrics.json": JSON.stringify({ accuracy: 0.97, training_samples: 9, training_date: "2026-01-31T08:00:00Z" }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
});
afterEach(async () => {
  rmSync(dir, { recursive: true, force: true });
  await at.close();
});

/** As a runner does it: bash, and the first command that fails ends it. */
function runStep(name: string, token = secrets[tokenOf(name)] ?? ""): Promise<Ended> {
  const env = {
    ...at.environment,
    PATH: `${join(at.dir, "bin")}:${at.environment["PATH"]}`,
    VERSION: "v17",
    GITHUB_RUN_ID: "4711",
    RELEASE_KEY: readFileSync(at.releaseKeyFile, "utf8"),
    CONTEXT_EDGE_TOKEN: token,
  };
  const child = spawn("bash", ["-e", "-o", "pipefail", "-c", stepOf(name)], { cwd: dir, env, stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  child.stdin.end();
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

const admin = () => ({ authorization: `Bearer ${secrets["HUB_DEPLOY_TOKEN"]}` });
const get = async (url: string) => (await at.hub.call("GET", url, undefined, admin())).body;
const newest = async () => ((await get("/api/v1/deployments"))["items"] as Record<string, string>[])[0];
/** These devices do what the deployment of this kind asks of them. */
async function obey(kind: string, who: readonly TestDevice[]): Promise<void> {
  await until(async () => (await newest())?.["kind"] === kind, 20_000);
  const { sha256 } = await get("/api/v1/models/default/versions/v17");
  const model = {
    current: { version: "v17", digest: String(sha256) },
    backup: null,
    current_since: null,
    attempt: null,
  };
  const rest = { waiting: null, last_outcome: null, quarantined: [], stats: null };
  for (const device of who) await device.report("v17", undefined, { models: { default: { ...model, ...rest } } });
}

test("published, piloted and deployed, each step with the token that is named for it", async () => {
  const published = await runStep("Publish");
  expect(published.code, published.stderr).toBe(0);
  const refused = await runStep("Pilot", secrets["HUB_PUBLISH_TOKEN"]);
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain("FORBIDDEN");
  const [pilot] = await Promise.all([runStep("Pilot"), obey("pilot", devices.slice(0, 2))]);
  expect(pilot.code, pilot.stderr).toBe(0);
  const [deployed] = await Promise.all([runStep("Deploy"), obey("all", devices)]);
  expect(deployed.code, deployed.stderr).toBe(0);
  expect((await newest())?.["state"]).toBe("finished");
});
