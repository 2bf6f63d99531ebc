// What a proxy says of a request, and what anybody else says in a proxy's name.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPeopleHub, PASSWORD, type PeopleHub } from "../testing/people-hub.ts";
import { openTestHub } from "../testing/test-hub.ts";

const PROXY = "10.1.2.3";
const STRANGER = "192.0.2.66";
const PUBLIC = "https://hub.example";

let people: PeopleHub;
let session: Record<string, string>;
beforeAll(async () => {
  people = await openPeopleHub(undefined, { HUB_TRUSTED_PROXIES: "10.0.0.0/8", HUB_PUBLIC_URL: PUBLIC });
  session = await people.cookieOf("erik");
});
afterAll(() => people.close());

let made = 0;
async function makeGroup(remoteAddress: string, headers: Record<string, string>): Promise<number> {
  made += 1;
  const answer = await people.app.inject({
    method: "POST",
    url: "/api/v1/groups",
    remoteAddress,
    headers: { ...session, host: "hub.internal:8000", ...headers },
    payload: { name: `group-${made}` },
  });
  return answer.statusCode;
}

describe("CVE-2026-3635 and CVE-2026-16732 of Fastify, through a proxy that is trusted: X-Forwarded-Host", () => {
  test.each([
    [{ "x-forwarded-host": "evil.example" }],
    [{ "x-forwarded-host": "hub.internal, evil.example" }],
    [{ "x-forwarded-host": "evil.example", "x-forwarded-for": "10.9.9.9", "x-forwarded-proto": "https" }],
    [{ "x-forwarded-host": "evil.example", "x-forwarded-port": "443", forwarded: "host=evil.example" }],
  ])("%j does not make a page of another site one of ours", async (headers) => {
    expect(await makeGroup(PROXY, { origin: "https://evil.example", ...headers })).toBe(403);
  });

  test("does not lead a stranger's name to a hub without a sign-in", async () => {
    const hub = await openTestHub({ HUB_TRUSTED_PROXIES: "127.0.0.1" });
    const ask = (host: string, more = {}) => hub.app.inject({ url: "/api/v1/groups", headers: { host, ...more } });
    for (const host of ["127.0.0.1:8000", "localhost", "[::1]:8000"]) expect((await ask(host)).statusCode).toBe(200);
    expect((await ask("evil.example", { "x-forwarded-host": "127.0.0.1" })).statusCode).toBe(403);
    await hub.close();
  });

  test("is not needed: the hub knows its own name and the one that browsers use", async () => {
    expect(await makeGroup(PROXY, { origin: "http://hub.internal:8000" })).toBe(201);
    expect(await makeGroup(PROXY, { origin: PUBLIC, "sec-fetch-site": "same-origin" })).toBe(201);
    for (const origin of ["http://hub.example", "https://hub.example:444", "https://hub.example.evil.example"])
      expect(await makeGroup(PROXY, { origin }), origin).toBe(403);
  });
});

describe("CVE-2026-3635 and CVE-2026-16732 of Fastify, from a peer that is no trusted proxy: X-Forwarded-", () => {
  const forged = (n: number) => ({
    "x-forwarded-for": `203.0.113.${n}`,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "hub.example",
  });
  const signIn = (remoteAddress: string, headers: object, password = PASSWORD) =>
    people.app.inject({
      method: "POST",
      url: "/api/v1/session",
      remoteAddress,
      headers: { ...headers },
      payload: { name: "vera", password },
    });

  test("Proto makes no cookie one of https; from the proxy it does", async () => {
    expect((await signIn(STRANGER, forged(1))).cookies).toMatchObject([{ name: "context_edge_session" }]);
    expect((await signIn(PROXY, forged(1))).cookies).toMatchObject([
      { name: "__Host-context_edge_session", secure: true },
    ]);
  });

  test("For hides no address from the count of failures; from the proxy it names the one that counts", async () => {
    const guess = (from: string, n: number) =>
      people.app.inject({
        url: "/api/v1/groups",
        remoteAddress: from,
        headers: { authorization: `Bearer guess-${n}`, ...forged(n) },
      });
    for (let n = 0; n < 30; n += 1) expect((await guess(STRANGER, n)).statusCode).toBe(401);
    expect((await guess(STRANGER, 99)).statusCode).toBe(429);
    for (let n = 0; n < 40; n += 1) expect((await guess(PROXY, n)).statusCode).toBe(401);
  });

  test("Host makes no page of another site one of ours", async () => {
    const headers = { ...forged(1), "x-forwarded-host": "evil.example", origin: "https://evil.example" };
    expect(await makeGroup(STRANGER, headers)).toBe(403);
  });
});
