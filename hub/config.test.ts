// Settings: what would be unsafe is refused before anything listens.
import { describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";

describe("settings that would be unsafe are refused in one line", () => {
  const rows: [string, Record<string, string>, RegExp][] = [
    ["no sign-in off loopback", { HUB_HOST: "0.0.0.0" }, /loopback/],
    [
      "the release key off loopback",
      { HUB_HOST: "0.0.0.0", HUB_AUTH: "token", HUB_DEV_RELEASE_KEY_FILE: "k" },
      /laptop/,
    ],
    ["a token sign-in without a token", { HUB_AUTH: "token" }, /HUB_API_TOKEN_FILE/],
    ["a database it does not speak", { DATABASE_URL: "mysql://x" }, /postgres:\/\//],
    ["a probe policy that is no JSON", { HUB_PROBE_POLICY: "{" }, /JSON/],
    ["a port that is none", { HUB_PORT: "http" }, /HUB_PORT/],
  ];
  test.each(rows)("%s", (_title, env, reason) => {
    const configured = readConfig(env);
    expect(configured).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });
});

test.each([
  [{}, 0],
  [{ HUB_HOST: "0.0.0.0", HUB_AUTH: "accounts" }, 5_000],
  [{ HUB_HOST: "0.0.0.0", HUB_AUTH: "accounts", HUB_SHUTDOWN_SECONDS: "3" }, 3_000],
  [{ HUB_DRAIN_SECONDS: "8" }, 8_000],
])("a hub that others may be sent to goes on serving for a while at its end: %j", (env, drainMs) => {
  expect(readConfig(env)).toMatchObject({ ok: true, config: { drainMs } });
});

test("the while is a part of the whole end", () => {
  expect(readConfig({ HUB_DRAIN_SECONDS: "20" })).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/HUB_SHUTDOWN_SECONDS/),
  });
});
