// The diagnostics bundle: it opens anywhere, says what is in it, and no secret of the agent is in it wherever it was planted.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../config.ts";
import { testKey } from "../testing/signing.ts";
import { makeDiagnostics } from "./diagnostics.ts";
import type { StatusDocument } from "./document.ts";
import { gatherDiagnostics } from "./gather.ts";
import { redacted } from "./redact.ts";
import { NOW } from "./testing/facts.ts";
import { calm } from "./testing/fixtures.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "context-edge-diagnostics-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const random = () => randomBytes(18).toString("base64url");
const textsOf = (zip: Uint8Array) =>
  Object.fromEntries(Object.entries(unzipSync(zip)).map(([name, bytes]) => [name, strFromU8(bytes)]));

/** An agent's directory and settings full of secrets, and the list of them. */
async function planted() {
  const secrets = {
    pin: `pin-${random()}`,
    credential: random(),
    former: random(),
    token: random(),
    password: random(),
    proxy: random(),
    presigned: random(),
    argument: random(),
    bearer: random(),
    environment: random(),
  };
  const own = join(dir, ".agent");
  await mkdir(own, { recursive: true });
  const key = testKey();
  const file = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const identity = { hub: "https://hub.example", device: "edge-001" };
  await writeFile(
    join(own, "identity.json"),
    `sum ${JSON.stringify({ ...identity, credential: secrets.credential })}\n`,
  );
  await writeFile(
    join(own, "identity.json.previous"),
    `sum ${JSON.stringify({ ...identity, credential: secrets.former })}\n`,
  );
  // A journal holds what servers answered, and servers repeat what they were sent.
  const journal = {
    detail: `HTTP 403 for https://s3.example/b/k?X-Amz-Signature=${secrets.presigned}, sent Authorization: Bearer ${secrets.credential}`,
  };
  await writeFile(join(own, "journal.json"), `sum ${JSON.stringify(journal)}\n`);
  const config = await loadConfig({
    AGENT_DEVICE_ID: "edge-001",
    AGENT_HUB_URL: `https://agent:${secrets.password}@hub.example:8000`,
    AGENT_HUB_KEYS: await file("hub.pem", key.pem),
    AGENT_RELEASE_KEYS: await file("release.pem", key.pem),
    AGENT_JOIN_TOKEN_FILE: await file("join", `${secrets.token}\n`),
    AGENT_PIN_FILE: await file("pin", `${secrets.pin.slice(0, 32)}\n`),
    AGENT_MODELS_DIR: dir,
    AGENT_RELOADER: "command",
    AGENT_RELOAD_COMMAND: JSON.stringify(["/usr/local/bin/reload", "--key", secrets.argument]),
    HTTPS_PROXY: `http://user:${secrets.proxy}@proxy.example:3128`,
    SOME_API_KEY: secrets.environment,
  });
  const message = `enrolment with ${secrets.token} failed via http://user:${secrets.proxy}@proxy.example:3128`;
  const status: StatusDocument = {
    ...calm,
    trouble: { code: "X", message, next_step: `curl -H "Authorization: Bearer ${secrets.bearer}"` },
  };
  const log = `{"msg":"token=${secrets.environment}"}\n{"credential":"${secrets.credential}","pin":"${secrets.pin.slice(0, 32)}"}\n`;
  return { secrets: { ...secrets, pin: secrets.pin.slice(0, 32) }, key, config, status, log };
}

test("secrets in diagnostics: no PIN, credential, token, password or key is in the bundle, wherever it stood", async () => {
  const { secrets, key, config, status, log } = await planted();
  const zip = makeDiagnostics(await gatherDiagnostics({ config, status, now: Date.parse(NOW), log }));
  const texts = textsOf(zip);
  expect(Object.keys(texts)).toEqual(
    expect.arrayContaining(["agent.log", "journals/default.json", "machine/mountinfo.txt"]),
  );
  for (const [name, text] of Object.entries(texts)) {
    for (const [what, secret] of Object.entries(secrets))
      expect(text.includes(secret), `${what} in ${name}`).toBe(false);
    expect(text, name).not.toContain(key.pem.split("\n")[1]);
    expect(name).not.toContain("identity");
  }
  // Not empty for safety's sake: what support needs is still there.
  expect(texts["journals/default.json"]).toContain("HTTP 403 for https://s3.example/b/k");
  expect(texts["settings.json"]).toContain('"AGENT_RELOAD_COMMAND": "/usr/local/bin/reload and 2 more words"');
  expect(texts["status.json"]).toContain("48213");
});

const hasUnzip = spawnSync("unzip", ["-v"]).status === 0;
if (!hasUnzip) process.stderr.write("SKIPPED: opening the bundle with unzip needs the program unzip.\n");
test.runIf(hasUnzip)("it opens with the unzip of any system", async () => {
  const { config, status } = await planted();
  const path = join(dir, "bundle.zip");
  await writeFile(path, makeDiagnostics(await gatherDiagnostics({ config, status, now: Date.parse(NOW) })));
  expect(spawnSync("unzip", ["-t", path], { encoding: "utf8" }).stdout).toContain("No errors detected");
});

test("it begins with a text for people, and tells of disk and history", async () => {
  const { config, status } = await planted();
  const zip = makeDiagnostics(await gatherDiagnostics({ config, status, now: Date.parse(NOW) }));
  const texts = textsOf(zip);
  expect(texts["README.txt"]).toMatch(/^Diagnostics of the device line-3-station-07, made 2026-11-24T14:32:10\.000Z/);
  expect(texts["machine/df.txt"]).toMatch(/bytes: \d+ in all, \d+ free/);
  expect(JSON.parse(texts["history.json"] ?? "")).toHaveLength(calm.history.length);
});

test("fault 21: with the clock at 1970 the bundle is made all the same, though the zip format begins in 1980", async () => {
  const { config, status } = await planted();
  const zip = makeDiagnostics(await gatherDiagnostics({ config, status, now: 462_000 }));
  expect(textsOf(zip)["README.txt"]).toContain("made 1970-01-01T00:07:42.000Z");
});

test("what cannot be read says so and does not stop the rest", async () => {
  const { config, status } = await planted();
  await rm(join(dir, ".agent", "journal.json"));
  const texts = textsOf(makeDiagnostics(await gatherDiagnostics({ config, status, now: Date.parse(NOW) })));
  expect(texts["journals/default.json"]).toMatch(/^could not be read: ENOENT/);
});

test.each([
  ["https://user:geheim1234@hub.example/x", "https://[removed]@hub.example/x"],
  ["GET https://s3.example/k?X-Amz-Credential=a&X-Amz-Signature=b done", "GET https://s3.example/k?[removed] done"],
  ['{"password":"geheim"}', '{"password":"[removed]"}'],
  ['{\\"token\\":\\"geheim\\"}', '{\\"token\\":\\"[removed]\\"}'],
  ["rw,username=a,password=geheim,vers=3", "rw,username=a,password=[removed],vers=3"],
  ["run --api-key geheim --quiet", "run --api-key [removed] --quiet"],
  ["-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "[removed]"],
  ["the token was refused, the PIN is wrong", "the token was refused, the PIN is wrong"],
  ["AGENT_PIN_FILE and pinned devices", "AGENT_PIN_FILE and pinned devices"],
])("%s becomes %s", (text, clean) => {
  expect(redacted(text)).toBe(clean);
});
