// Settings that are missing or wrong are told in one line that names them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { testKey } from "./testing/signing.ts";
import { tempDir } from "./testing/temp-dir.ts";

// RFC 8032's neutral element: a key of small order, under which forged signatures pass some verifiers.
const SMALL_ORDER = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----`;

async function environment(more: Record<string, string> = {}) {
  const dir = await tempDir();
  await writeFile(join(dir, "key.pem"), testKey().pem);
  await writeFile(join(dir, "small.pem"), SMALL_ORDER);
  const key = join(dir, "key.pem");
  const given = { AGENT_HUB_URL: "http://127.0.0.1:8000", AGENT_HUB_KEYS: key, AGENT_RELEASE_KEYS: `${key}, ${key}` };
  return Object.fromEntries(
    Object.entries({ ...given, ...more }).map(([name, value]) => [name, value.replace("$DIR", dir)]),
  );
}

test("defaults stand for what is not said, and an empty variable is one not said", async () => {
  const config = await loadConfig(await environment({ AGENT_STATUS_PORT: "", AGENT_DEVICE_ID: "edge-001" }));
  expect(config).toMatchObject({
    AGENT_STATUS_PORT: 9_090,
    AGENT_LINK_NAME: "current.trt",
    AGENT_MODELS_DIR: "/opt/context-edge/models",
  });
  expect(config.releaseKeys).toHaveLength(2);
});

test.each([
  ["AGENT_HUB_URL", "file:///etc/passwd"],
  ["AGENT_HUB_KEYS", ""],
  ["AGENT_HUB_KEYS", "$DIR/missing.pem"],
  ["AGENT_RELEASE_KEYS", "$DIR/small.pem"],
  ["AGENT_LINK_NAME", "../current.trt"],
  ["AGENT_DEVICE_ID", "../edge"],
  ["AGENT_STATUS_PORT", "70000"],
  ["AGENT_RELOADER", "magic"],
  ["AGENT_RELOAD_COMMAND", "restart it"],
])("%s=%s is refused by name", async (variable, value) => {
  const error = await loadConfig(await environment({ [variable]: value })).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "CONFIG" });
  expect((error as Error).message).toMatch(new RegExp(`^${variable}: [^\\n]+$`));
});

test("a command reloader without a command is refused", async () => {
  await expect(loadConfig(await environment({ AGENT_RELOADER: "command" }))).rejects.toThrow("AGENT_RELOAD_COMMAND");
});

test("what systemd hands over stands in for files that no variable names; one of white space for none", async () => {
  const credentials = await tempDir();
  await writeFile(join(credentials, "join-token"), "a token");
  await writeFile(join(credentials, "pin"), "\n");
  const given = await environment({ CREDENTIALS_DIRECTORY: credentials });
  expect(await loadConfig(given)).toMatchObject({ AGENT_JOIN_TOKEN_FILE: join(credentials, "join-token"), pin: null });
  await writeFile(join(credentials, "pin"), "2468\n");
  expect(await loadConfig(given)).toMatchObject({ pin: "2468" });
  const named = { ...given, AGENT_JOIN_TOKEN_FILE: "/etc/token" };
  expect(await loadConfig(named)).toMatchObject({ AGENT_JOIN_TOKEN_FILE: "/etc/token" });
});
