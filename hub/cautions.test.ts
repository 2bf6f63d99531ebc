// What the hub says at its start about settings that work, but hardly as they were meant.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { cautionsOf } from "./cautions.ts";
import { readConfig } from "./config.ts";

const HTTPS = "https://hub.example";
test.each([
  [{ HUB_AUTH: "accounts", HUB_PUBLIC_URL: HTTPS }, [expect.stringContaining("HUB_TRUSTED_PROXIES")]],
  [{ HUB_AUTH: "accounts", HUB_PUBLIC_URL: HTTPS, HUB_TRUSTED_PROXIES: "10.0.0.1" }, []],
  [{ HUB_AUTH: "accounts", HUB_PUBLIC_URL: "http://hub.example" }, []],
  [{ HUB_AUTH: "accounts" }, []],
  [{ HUB_AUTH: "none", HUB_PUBLIC_URL: HTTPS }, []],
])("%j", (env, expected) => {
  const configured = readConfig(env);
  expect(configured.ok && cautionsOf(configured.config)).toEqual(expected);
});

test("a hub behind https that trusts no proxy says in its log that its cookies are not Secure", async () => {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-cautions-"));
  const env = { HUB_AUTH: "accounts", HUB_PUBLIC_URL: HTTPS, HUB_PORT: "0", HUB_DATA: dir };
  const hub = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env: { PATH: process.env["PATH"], ...env },
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: hub.stdout })) {
    said.push(line);
    if (line.includes("no release keys")) break;
  }
  hub.kill();
  await once(hub, "exit");
  expect(said.find((line) => line.includes("not marked Secure"))).toContain('"level":40');
  rmSync(dir, { recursive: true, force: true });
});
