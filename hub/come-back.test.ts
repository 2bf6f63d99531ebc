// Whoever is turned away with 503 is told when to come back, each at another time, whatever the reason and the route.
import { Agent } from "node:http";
import got from "got";
import { ProblemCode } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { comeBackSeconds } from "./come-back.ts";
import { ProblemError } from "./problem-error.ts";
import { openTestHub } from "./testing/test-hub.ts";

const UNAVAILABLE = ProblemCode.options.filter((code) => new ProblemError(code, "").toProblem().status === 503);

test("every code of status 503 comes with a time, and twenty answers with several", async () => {
  const hub = await openTestHub({}, Date.now, (app) => {
    app.get<{ Params: { code: ProblemCode } }>("/api/v1/fails/:code", ({ params }) => {
      throw new ProblemError(params.code, "not now");
    });
  });
  expect(UNAVAILABLE).toContain("OVERLOADED");
  for (const code of UNAVAILABLE) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => hub.app.inject(`/api/v1/fails/${code}`)));
    const times = answers.map(({ headers }) => Number(headers["retry-after"]));
    expect(answers[0]?.json(), code).toMatchObject({ status: 503, code });
    expect(times.every((seconds) => seconds >= 1 && seconds <= 15)).toBe(true);
    expect(new Set(times).size, code).toBeGreaterThan(2);
  }
  await hub.close();
});

test("a stranger who cannot be looked up now is told so at the assignment as at a poll", async () => {
  const hub = await openTestHub();
  const url = await hub.listen();
  const gate = Promise.withResolvers<undefined>();
  hub.hub.store.devices.byCredential = () => gate.promise;
  const agent = { http: new Agent({ maxSockets: 1_000 }) };
  const ask = (n: number) =>
    got(`${url}/device/v1/assignment`, {
      headers: { authorization: `Bearer stranger-${n}` },
      agent,
      throwHttpErrors: false,
      retry: { limit: 0 },
    });
  const all = Array.from({ length: 600 }, (_unused, n) => ask(n));
  const refused = await Promise.all(all.slice(500));
  expect(refused.map(({ statusCode }) => statusCode)).toEqual(Array(100).fill(503));
  expect(new Set(refused.map(({ headers }) => headers["retry-after"])).size).toBeGreaterThan(3);
  gate.resolve(undefined);
  await Promise.all(all);
  agent.http.destroy();
  await hub.close();
});

test.each([
  [0, 1],
  [0.5, 8],
  [1, 15],
])("chance %f comes back after %i s", (chance, seconds) => {
  expect(comeBackSeconds(() => chance)).toBe(seconds);
});
