// Guessing tokens: slowed down by address in every mode, and nobody who does not guess is held up by it, devices least of all.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPeopleHub, type PeopleHub } from "../testing/people-hub.ts";
import { JOIN_TOKEN, openTestHub, type TestHub } from "../testing/test-hub.ts";

const TOKEN = "the-one-token-of-this-hub";
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-token-"));
  writeFileSync(join(dir, "token"), TOKEN);
});
afterAll(() => rmSync(dir, { recursive: true }));

async function statusOf(hub: TestHub, url: string, remoteAddress: string, headers: Record<string, string>) {
  return (await hub.app.inject({ url, remoteAddress, headers })).statusCode;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const countOf = (statuses: readonly number[], status: number) => statuses.filter((one) => one === status).length;

describe("with the hub's one token", () => {
  let hub: TestHub;
  beforeEach(async () => {
    hub = await openTestHub({ HUB_AUTH: "token", HUB_API_TOKEN_FILE: join(dir, "token") });
  });
  afterEach(() => hub.close());
  const ask = (headers: Record<string, string>, from = "198.51.100.7", url = "/api/v1/groups") =>
    statusOf(hub, url, from, headers);

  test("an address is stopped after thirty guesses, wherever it sends them and whatever it says it is; then the right token waits too", async () => {
    const urls = ["/api/v1/groups", "/mlops/models/pending", "/metrics", "/api/v1/session", "/api/v1/nothing-here"];
    const statuses = [];
    for (let n = 0; n < 300; n += 1) {
      const spoofed = { "x-forwarded-for": `203.0.113.${n % 250}`, forwarded: `for=203.0.113.${n % 250}` };
      const url = urls[n % urls.length] ?? "";
      statuses.push(await ask({ ...bearer(n % 2 ? `guess-${n}` : `cet_guess-${n}`), ...spoofed }, undefined, url));
    }
    expect([countOf(statuses, 429), countOf(statuses, 401) + countOf(statuses, 200)]).toEqual([270, 30]);
    const late = await hub.app.inject({
      url: "/api/v1/groups",
      remoteAddress: "198.51.100.7",
      headers: bearer(TOKEN),
    });
    expect(late.json()).toMatchObject({ status: 429, code: "TOO_MANY_ATTEMPTS" });
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(800);
    expect(await ask(bearer(TOKEN), "198.51.100.8")).toBe(200);
  });

  test("a hundred requests at once with the right token are a hundred answers", async () => {
    const statuses = await Promise.all(Array.from({ length: 100 }, () => ask(bearer(TOKEN))));
    expect(countOf(statuses, 200)).toBe(100);
  });

  test("devices at the address of a guesser poll, report, fetch and enrol as before", async () => {
    const { digest } = await hub.register("v1", { headers: bearer(TOKEN) });
    const device = await hub.enroll("edge-001", "pilot");
    const from = "198.51.100.9";
    for (let n = 0; n < 40; n += 1) await ask(bearer(`guess-${n}`), from);
    expect(await ask(bearer(TOKEN), from)).toBe(429);
    for (const url of ["/device/v1/manifest", "/device/v1/assignment"])
      expect(await ask(device.headers, from, url), url).toBe(200);
    expect(await ask(device.headers, from, `/device/v1/artifacts/${digest}`)).not.toBe(429);
    await device.report("v1");
    expect((await hub.enroll("edge-002")).id).toBe("edge-002");
    expect(await ask({}, from, "/healthz")).toBe(200);
  });

  test("behind a trusted proxy the address that the proxy saw counts", async () => {
    const behind = await openTestHub({
      HUB_AUTH: "token",
      HUB_API_TOKEN_FILE: join(dir, "token"),
      HUB_TRUSTED_PROXIES: "10.0.0.0/8",
    });
    const via = (seen: string, token: string) =>
      statusOf(behind, "/api/v1/groups", "10.1.2.3", {
        ...bearer(token),
        "x-forwarded-for": `203.0.113.${seen.length}, ${seen}`,
      });
    for (let n = 0; n < 30; n += 1) expect(await via("192.0.2.7", `guess-${n}`)).toBe(401);
    expect(await via("192.0.2.7", TOKEN)).toBe(429);
    expect(await via("192.0.2.8", TOKEN)).toBe(200);
    await behind.close();
  });
});

describe("with accounts", () => {
  let people: PeopleHub;
  beforeEach(async () => {
    people = await openPeopleHub();
  });
  afterEach(() => people.close());
  const ask = (headers: Record<string, string>) => statusOf(people, "/api/v1/groups", "198.51.100.7", headers);

  test("tokens are guessed no faster than passwords, and who is signed in at that address is not held up", async () => {
    const [cookie, token] = [await people.cookieOf("erik"), await people.tokenOf("viewer")];
    const statuses = [];
    for (let n = 0; n < 40; n += 1) statuses.push(await ask(bearer(`cet_${"g".repeat(40)}${n}`)));
    expect([countOf(statuses, 401), countOf(statuses, 429)]).toEqual([30, 10]);
    expect(await ask(token)).toBe(429);
    expect(await ask(cookie)).toBe(200);
  });

  test("a job that goes on with a token that was revoked or has expired locks out nobody", async () => {
    const [revoked, expired] = [await people.revokedToken(), await people.expiredToken()];
    for (let n = 0; n < 40; n += 1) expect(await ask(n % 2 ? revoked : expired)).toBe(401);
    expect(await ask(await people.tokenOf("viewer"))).toBe(200);
  });
});

describe("a join token", () => {
  let people: PeopleHub;
  beforeEach(async () => {
    people = await openPeopleHub();
  });
  afterEach(() => people.close());
  const enroll = async (join_token: string, device_id: string) => {
    const payload = { join_token, device_id, inventory: { agent_version: "1", arch: "arm64" } };
    const answer = await people.app.inject({
      method: "POST",
      url: "/device/v1/enroll",
      remoteAddress: "198.51.100.7",
      payload,
    });
    return answer.statusCode;
  };
  const make = async (wish: object) => {
    const url = "/api/v1/join-tokens";
    const headers = await people.cookieOf("ada");
    const answer = await people.app.inject({ method: "POST", url, headers, payload: { name: "batch", ...wish } });
    return answer.json<{ secret: string }>().secret;
  };

  test("that is right admits a whole factory behind one address at once", async () => {
    const made = await make({ uses: 200 });
    const statuses = await Promise.all(
      Array.from({ length: 240 }, (_, n) => enroll(n % 2 ? made : JOIN_TOKEN, `factory-${n}`)),
    );
    expect(countOf(statuses, 201)).toBe(240);
  });

  test("that is used up is refused as often as it comes, and the next one admits from the same address", async () => {
    const made = await make({ uses: 1 });
    expect(await enroll(made, "first")).toBe(201);
    for (let n = 0; n < 110; n += 1) expect(await enroll(made, `late-${n}`)).toBe(403);
    expect(await enroll(JOIN_TOKEN, "after-all")).toBe(201);
  });

  test("that is guessed stops its address after a hundred, and the right one waits too", async () => {
    const statuses = await Promise.all(Array.from({ length: 120 }, (_, n) => enroll(`guess-guess-${n}`, "mallory")));
    expect([countOf(statuses, 403), countOf(statuses, 429)]).toEqual([100, 20]);
    expect(await enroll(JOIN_TOKEN, "edge-900")).toBe(429);
  });
});
