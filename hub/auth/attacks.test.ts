// Attacks on sign-in, each carried out: another site, a planted cookie, guessing, a made-up address, a token that wants more.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPeopleHub, PASSWORD, type PeopleHub } from "../testing/people-hub.ts";
import { openTestHub } from "../testing/test-hub.ts";
import { addressKey, countAttempts } from "./attempts.ts";
import { keepPasswords } from "./passwords.ts";

let people: PeopleHub;
beforeAll(async () => {
  people = await openPeopleHub();
});
afterAll(() => people.close());

let addresses = 0;
/** Each test comes from an address of its own, so that none is slowed down by another. */
const newAddress = () => `198.51.100.${(addresses += 1)}`;

async function signIn(hub: PeopleHub, name: string, password: string, remoteAddress: string, headers = {}) {
  const answer = await hub.app.inject({
    method: "POST",
    url: "/api/v1/session",
    remoteAddress,
    headers,
    payload: { name, password },
  });
  const cookie = answer.cookies[0];
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Record<string, unknown>>(), cookie };
}
const whoIs = async (hub: PeopleHub, cookie: string) =>
  (await hub.app.inject({ url: "/api/v1/session", headers: { cookie } })).json<{ user: string | null }>().user;

describe("a page of another site", () => {
  const foreign: [string, Record<string, string>][] = [
    ["its origin", { origin: "http://evil.example" }],
    ["no origin at all (null)", { origin: "null" }],
    ["the browser's word that it is another site", { "sec-fetch-site": "cross-site" }],
    ["the browser's word that it is a sister site", { "sec-fetch-site": "same-site" }],
  ];
  test.each(foreign)("cannot use a signed-in engineer's browser: %s", async (_, headers) => {
    const cookie = await people.cookieOf("erik");
    const name = `wanted-by-another-site-${Object.keys(headers)[0]}-${Object.values(headers)[0]?.length}`;
    const send = (more: Record<string, string>) =>
      people.app.inject({ method: "POST", url: "/api/v1/groups", headers: { ...cookie, ...more }, payload: { name } });
    expect((await send(headers)).json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
    expect(await people.hub.store.groups.find(name)).toBeUndefined();
    expect((await send({ "sec-fetch-site": "same-origin" })).statusCode).toBe(201);
  });
  test("cannot sign a browser in as somebody else", async () => {
    const answer = await signIn(people, "erik", PASSWORD, newAddress(), { "sec-fetch-site": "cross-site" });
    expect(answer.status).toBe(403);
    expect(answer.cookie).toBeUndefined();
  });
});

describe("session fixation", () => {
  test("a cookie that was there before the sign-in never becomes the session", async () => {
    const planted = `context_edge_session=ces_${"p".repeat(43)}`;
    const { cookie } = await signIn(people, "erik", PASSWORD, newAddress(), { cookie: planted });
    expect(planted).not.toContain(cookie?.value);
    expect(await whoIs(people, planted)).toBeNull();
    expect(await whoIs(people, `context_edge_session=${cookie?.value}`)).toBe("erik");
  });
  test("an attacker's own session, planted in the victim's browser, ends when the victim signs in", async () => {
    const { cookie: planted = "" } = await people.cookieOf("vera");
    const { cookie } = await signIn(people, "ada", PASSWORD, newAddress(), { cookie: planted });
    expect(await whoIs(people, planted)).toBeNull();
    expect(await whoIs(people, `context_edge_session=${cookie?.value}`)).toBe("ada");
  });
  test("no script can read the cookie, no other site sends it, and over https it is bound to this host", async () => {
    const { cookie } = await signIn(people, "erik", PASSWORD, newAddress());
    expect(cookie).toMatchObject({ name: "context_edge_session", httpOnly: true, sameSite: "Strict", path: "/" });
    const behind = await openPeopleHub(undefined, { HUB_TRUSTED_PROXIES: "127.0.0.1" });
    const https = { "x-forwarded-proto": "https" };
    const secure = await signIn(behind, "erik", PASSWORD, "127.0.0.1", https);
    expect(secure.cookie).toMatchObject({ name: "__Host-context_edge_session", secure: true, path: "/" });
    expect(secure.cookie).not.toHaveProperty("domain");
    // Planted over plain http it would have the plain name, and that one is not looked at.
    const get = (sent: string) => behind.app.inject({ url: "/api/v1/groups", headers: { ...https, cookie: sent } });
    expect((await get(`context_edge_session=${secure.cookie?.value}`)).statusCode).toBe(401);
    expect((await get(`__Host-context_edge_session=${secure.cookie?.value}`)).statusCode).toBe(200);
    await behind.close();
  });
});

describe("guessing", () => {
  test("one name's password is stopped after ten, wherever from, and then even the right one waits", async () => {
    const tried = await Promise.all(
      Array.from({ length: 12 }, (_, n) => signIn(people, "vera", `wrong guess ${n}`, newAddress())),
    );
    expect(tried.filter(({ status }) => status === 401)).toHaveLength(10);
    const late = await signIn(people, "vera", PASSWORD, newAddress());
    expect(late).toMatchObject({ status: 429, body: { code: "TOO_MANY_ATTEMPTS" } });
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(800);
    expect((await signIn(people, "erik", PASSWORD, newAddress())).status).toBe(200);
  });
  test("one address is stopped after thirty, whatever names it tries and whatever it says it is", async () => {
    const from = newAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 32; n += 1) {
      const spoofed = { "x-forwarded-for": `203.0.113.${n}`, "x-real-ip": `203.0.113.${n}`, forwarded: "for=1.2.3.4" };
      statuses.push((await signIn(people, `name-${n}`, "wrong password", from, spoofed)).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect((await signIn(people, "erik", PASSWORD, from)).status).toBe(429);
    expect((await signIn(people, "erik", PASSWORD, newAddress())).status).toBe(200);
  });
  test("behind a trusted proxy it is the address the proxy saw that counts, not the one the client put before it", async () => {
    const behind = await openPeopleHub(undefined, { HUB_TRUSTED_PROXIES: "10.0.0.0/8" });
    const via = (seen: string, n: number) => ({ "x-forwarded-for": `203.0.113.${n}, ${seen}` });
    for (let n = 0; n < 30; n += 1)
      await signIn(behind, `name-${n}`, "wrong password", "10.1.2.3", via("192.0.2.7", n));
    expect((await signIn(behind, "erik", PASSWORD, "10.1.2.3", via("192.0.2.7", 99))).status).toBe(429);
    expect((await signIn(behind, "erik", PASSWORD, "10.1.2.3", via("192.0.2.8", 99))).status).toBe(200);
    await behind.close();
  });
  test("set-up links and join tokens are guessed no faster", async () => {
    const from = newAddress();
    const post = (url: string, payload: object) =>
      people.app.inject({ method: "POST", url, remoteAddress: from, payload });
    const setup = { secret: `cel_${"x".repeat(43)}`, name: "mallory", password: "long enough password" };
    for (let n = 0; n < 30; n += 1) expect((await post("/api/v1/setup", setup)).statusCode).toBe(401);
    expect((await post("/api/v1/setup", setup)).statusCode).toBe(429);
    const enrolment = { join_token: "guess-guess", device_id: "x", inventory: { agent_version: "1", arch: "x" } };
    for (let n = 0; n < 100; n += 1) expect((await post("/device/v1/enroll", enrolment)).statusCode).toBe(403);
    expect((await post("/device/v1/enroll", enrolment)).json()).toMatchObject({ code: "TOO_MANY_ATTEMPTS" });
  });
  test("an unknown name, a wrong password and a disabled account are answered in the same words", async () => {
    const answers = [
      await signIn(people, "nobody-here", PASSWORD, newAddress()),
      await signIn(people, "erik", "wrong password", newAddress()),
      await signIn(people, "gone", PASSWORD, newAddress()),
    ];
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  });
  test("an unknown name costs the same work as a known one, and no password opens it", async () => {
    const passwords = keepPasswords();
    const stored = await passwords.hash("a long password");
    const time = async (candidate: string | null) => {
      const begin = performance.now();
      expect(await passwords.verify("a wrong password", candidate)).toBe(false);
      return performance.now() - begin;
    };
    await time(stored);
    const known = Math.min(await time(stored), await time(stored), await time(stored));
    const unknown = Math.min(await time(null), await time(null), await time(null));
    // Looking up nothing takes microseconds; argon2id takes tens of milliseconds.
    expect(unknown).toBeGreaterThan(known / 4);
    expect(await passwords.verify("a long password", stored)).toBe(true);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
  test("a count ends after its quarter of an hour, and success is no failure", () => {
    let nowMs = 0;
    const attempts = countAttempts(2, () => nowMs);
    for (let n = 0; n < 5; n += 1) {
      attempts.begin("a");
      attempts.succeeded("a");
    }
    attempts.begin("a");
    attempts.begin("a");
    expect(() => attempts.begin("a")).toThrow("too many");
    attempts.begin("b");
    nowMs = 15 * 60_000;
    attempts.begin("a");
  });
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("the address %s counts as %s", (ip, key) => {
    expect(addressKey(ip)).toBe(key);
  });
});

describe("the upload token alone", () => {
  test("hands in a version, and never deploys one", async () => {
    const headers = await people.tokenOf("publisher");
    const { hub } = people;
    const before = hub.publisher.current("line-1")?.etag;
    expect((await people.register("v-uploaded", { headers })).status).toBe(201);
    const tries: ["POST" | "PUT", string, object][] = [
      ["POST", "/mlops/models/v-uploaded/approve", {}],
      ["POST", "/mlops/models/v-uploaded/deploy-pilot", { pilot_device_ids: ["edge-001"] }],
      ["POST", "/mlops/models/v-uploaded/deploy-all", { override: { reason: "because I can" } }],
      ["POST", "/mlops/models/v-uploaded/rollback", { rollback_to_version: "v-uploaded" }],
      ["PUT", "/api/v1/groups/line-1/target", { version: "v-uploaded" }],
      ["POST", "/api/v1/tokens", { name: "more", scope: "admin" }],
      ["POST", "/api/v1/users", { name: "mallory", role: "admin", password: "long enough password" }],
    ];
    for (const [method, url, payload] of tries) {
      const answer = await people.app.inject({ method, url, headers, payload });
      expect({ url, code: answer.json<{ code: string }>().code }).toEqual({ url, code: "FORBIDDEN" });
    }
    expect((await hub.store.versions.find("default", "v-uploaded"))?.stage).toBe("pending");
    expect(await hub.store.deployments.open()).toEqual([]);
    expect(hub.publisher.current("line-1")?.etag).toBe(before);
  });
});

describe("with the hub's one token", () => {
  test("the cookie is not the token, and is void as soon as the token is another", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "context-edge-token-")), "token");
    writeFileSync(file, "the-first-token-of-all");
    const hub = await openTestHub({ HUB_AUTH: "token", HUB_API_TOKEN_FILE: file });
    const answer = await hub.app.inject({
      method: "POST",
      url: "/api/v1/session",
      payload: { token: "the-first-token-of-all" },
    });
    const value = answer.cookies[0]?.value ?? "";
    expect(value).toMatch(/^ces_/);
    const headers = { cookie: `context_edge_session=${value}` };
    expect((await hub.app.inject({ url: "/api/v1/groups", headers })).statusCode).toBe(200);
    if (hub.hub.config.auth.kind === "token") hub.hub.config.auth.token = "another-token-since-then";
    expect((await hub.app.inject({ url: "/api/v1/groups", headers })).statusCode).toBe(401);
    await hub.close();
  });
});
