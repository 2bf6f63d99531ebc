// Secrets by systemd's credentials: they stand in for what no variable names, and one of white space for nothing.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "./config.ts";

const TOKEN = "a-token-of-a-test-that-is-long-enough";
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "credentials-"));
  writeFileSync(join(dir, "api-token"), `${TOKEN}\n`);
  writeFileSync(join(dir, "join-token"), "\n");
});
afterEach(() => rmSync(dir, { recursive: true }));

test("the token comes from systemd; a join token of white space is none", () => {
  expect(readConfig({ HUB_AUTH: "token", CREDENTIALS_DIRECTORY: dir })).toMatchObject({
    ok: true,
    config: { auth: { kind: "token", token: TOKEN }, joinToken: undefined },
  });
});

test("a file that a variable names outranks the credential", () => {
  writeFileSync(join(dir, "other"), `${TOKEN}-other`);
  const named = { HUB_AUTH: "token", CREDENTIALS_DIRECTORY: dir, HUB_API_TOKEN_FILE: join(dir, "other") };
  expect(readConfig(named)).toMatchObject({ config: { auth: { token: `${TOKEN}-other` } } });
});
