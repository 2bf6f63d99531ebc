// What the hub says of itself, told apart: all is well, something is away, it is about to stop, it cannot be reached.
import { expect, test } from "vitest";
import { askHealth } from "./hub-health.ts";
import { openLine } from "./line.ts";

const checks = (bad: string[]) =>
  Object.fromEntries(
    ["database", "signing_key", "artifacts", "shutdown"].map((name) => [
      name,
      { ok: !bad.includes(name), detail: bad.includes(name) ? `${name} is away` : null },
    ]),
  );
const ask = (status: number, body: object) =>
  askHealth(openLine(async () => new Response(JSON.stringify(body), { status })).call);
const notReady = (bad: string[]) => ({
  type: "urn:x",
  title: "Not ready",
  status: 503,
  code: "NOT_READY",
  context: { checks: checks(bad) },
});

test("nothing while all is well, and nothing of a hub that is about to stop", async () => {
  expect(await ask(200, { status: "ready", checks: checks([]) })).toEqual([]);
  expect(await ask(503, notReady(["shutdown"]))).toEqual([]);
});

test("a bucket that is away, though the hub goes on; and a database, though it does not", async () => {
  expect(await ask(200, { status: "degraded", checks: checks(["artifacts"]) })).toMatchObject([
    {
      check: "artifacts",
      meaning: expect.stringMatching(/^The hub cannot reach the files/),
      detail: "artifacts is away",
    },
  ]);
  expect(await ask(503, notReady(["database"]))).toMatchObject([{ check: "database", detail: "database is away" }]);
});

test("nothing where the hub cannot be reached, or answers something else", async () => {
  expect(await askHealth(openLine(() => Promise.reject(new TypeError("refused"))).call)).toEqual([]);
  expect(await ask(502, { bad: "gateway" })).toEqual([]);
});
