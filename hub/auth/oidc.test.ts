// Signing in with the organisation's account, against a provider on loopback: what fits is let in, whatever does not is refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OidcProvider, startOidcProvider } from "../testing/oidc-provider.ts";
import { openPeopleHub, type PeopleHub } from "../testing/people-hub.ts";
import { roleOf } from "./oidc.ts";

const CLIENT_SECRET = "the-client-secret-of-a-test";
const SETTINGS = () => ({
  HUB_OIDC_ISSUER: provider.issuer,
  HUB_OIDC_CLIENT_ID: "edge-hub",
  HUB_OIDC_CLIENT_SECRET_FILE: join(dir, "secret"),
  HUB_OIDC_ROLES: "edge-admins=admin,edge-team=engineer",
  HUB_PUBLIC_URL: "http://hub.example:8000",
});
let provider: OidcProvider;
let people: PeopleHub;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-oidc-"));
  writeFileSync(join(dir, "secret"), CLIENT_SECRET);
  provider = await startOidcProvider("edge-hub", CLIENT_SECRET);
  people = await openPeopleHub(undefined, SETTINGS());
});
afterAll(async () => {
  await people.close();
  await provider.close();
  rmSync(dir, { recursive: true });
});
let address = 0;
beforeEach(() => {
  address += 1;
  provider.next = { claims: { sub: "u-1", preferred_username: "grace", groups: ["edge-team"] }, algorithm: "RS256" };
});

const get = (url: string, headers: Record<string, string> = {}) =>
  people.app.inject({ url, headers, remoteAddress: `198.51.100.${address}` });

/** Goes there and comes back. @param change what happens to the answer on the way. */
async function signIn(change: (back: URL) => void = () => undefined, cookieChange = (cookie: string) => cookie) {
  const away = await get("/api/v1/session/oidc");
  const flow = away.cookies[0];
  const back = await provider.visit(String(away.headers.location));
  change(back);
  const cookie = `context_edge_oidc=${cookieChange(flow?.value ?? "")}`;
  const answer = await get(`${back.pathname}${back.search}`, { cookie });
  const session = answer.cookies.find(({ name }) => name === "context_edge_session")?.value;
  const who = session && (await get("/api/v1/session", { cookie: `context_edge_session=${session}` })).json();
  return { answer, flow, session, who: who as { user: string; role: string } | undefined };
}

describe("a sign-in that fits", () => {
  test.each(["RS256", "ES256"] as const)(
    "makes an account with the mapped role and a session (%s)",
    async (algorithm) => {
      provider.next.algorithm = algorithm;
      const { answer, flow, who } = await signIn();
      expect({ status: answer.statusCode, to: answer.headers.location }).toEqual({ status: 303, to: "/" });
      expect(flow).toMatchObject({ httpOnly: true, sameSite: "Lax", maxAge: 600 });
      expect(who).toMatchObject({ user: "grace", role: "engineer", auth: "accounts", oidc: true });
    },
  );
  test("follows the role at the next sign-in, and the person when the name changes", async () => {
    await signIn();
    provider.next.claims = { sub: "u-1", preferred_username: "grace.hopper", groups: ["edge-admins", "edge-team"] };
    expect((await signIn()).who).toMatchObject({ user: "grace", role: "admin" });
  });
  test("never leads into an account made here, though the name is the same", async () => {
    provider.next.claims = { sub: "u-2", preferred_username: "ada", groups: ["edge-team"] };
    expect((await signIn()).who).toMatchObject({ user: "ada@127.0.0.1", role: "engineer" });
  });
});

describe("an organisation that takes a role away", () => {
  let other: PeopleHub;
  beforeEach(async () => {
    other = people;
    people = await openPeopleHub(undefined, SETTINGS());
    // Whoever is admin by password makes room: the one of the organisation is the only one.
    provider.next.claims = { sub: "u-boss", preferred_username: "boss", groups: ["edge-admins"] };
    await signIn();
    await people.hub.store.transaction(async (tx) => {
      const ada = await tx.users.find({ name: "ada" });
      await tx.users.update(ada?.id ?? "", { role: "viewer" });
    });
  });
  afterEach(async () => {
    await people.close();
    people = other;
  });
  const live = async () => ({ cookie: `context_edge_session=${(await signIn()).session}` });
  const mayAdmin = async (cookie: Record<string, string>) => (await get("/api/v1/users", cookie)).statusCode;

  test("from the only admin is followed at the next sign-in, also by sessions that are open, and the history says how to make another", async () => {
    const session = await live();
    expect(await mayAdmin(session)).toBe(200);
    provider.next.claims = { sub: "u-boss", preferred_username: "boss", groups: ["edge-team"] };
    expect((await signIn()).who).toMatchObject({ user: "boss", role: "engineer" });
    expect(await mayAdmin(session)).toBe(403);
    const changes = await people.hub.store.events.newest(10, undefined, { kind: "user.role-changed" });
    expect(changes[0]).toMatchObject({
      subject: "boss",
      summary: expect.stringMatching(/Nobody is admin now: `user role/),
    });
    provider.next.claims = { sub: "u-boss", preferred_username: "boss", groups: ["edge-admins"] };
    expect((await signIn()).who).toMatchObject({ role: "admin" });
  });

  test("and leaves none refuses the sign-in and ends the sessions that are open", async () => {
    const session = await live();
    provider.next.claims = { sub: "u-boss", preferred_username: "boss", groups: ["canteen"] };
    expect((await signIn()).answer.json()).toMatchObject({ status: 401, code: "SIGN_IN_REFUSED" });
    expect(await mayAdmin(session)).toBe(401);
    expect((await people.hub.store.events.newest(1))[0]).toMatchObject({ kind: "user.signed-out", subject: "boss" });
  });
});

describe("refused, and nobody is signed in:", () => {
  const spoiled: [string, (claims: Record<string, unknown>) => Record<string, unknown>][] = [
    ["a nonce of another sign-in", (claims) => ({ ...claims, nonce: "another" })],
    ["no nonce", (claims) => ({ ...claims, nonce: undefined })],
    ["another issuer", (claims) => ({ ...claims, iss: "http://127.0.0.1:1" })],
    ["another audience", (claims) => ({ ...claims, aud: "another-client" })],
    ["a token that has expired", (claims) => ({ ...claims, iat: 1, exp: 2 })],
    ["no subject", (claims) => ({ ...claims, sub: undefined })],
    ["nobody with a role here", (claims) => ({ ...claims, groups: ["canteen"] })],
  ];
  test.each(spoiled)("%s", async (_, spoil) => {
    provider.next.spoil = spoil;
    const { answer, session } = await signIn();
    expect(answer.json()).toMatchObject({ status: 401, code: "SIGN_IN_REFUSED" });
    expect(session).toBeUndefined();
  });
  test("a token signed by a stranger", async () => {
    provider.next = { ...provider.next, algorithm: "ES256", signWith: "another key" };
    expect((await signIn()).answer.json()).toMatchObject({ code: "SIGN_IN_REFUSED" });
  });
  test("another state than this browser began with", async () => {
    expect((await signIn((back) => back.searchParams.set("state", "x"))).answer.json()).toMatchObject({
      code: "SIGN_IN_REFUSED",
    });
  });
  test("a browser that did not begin, and a cookie that was changed", async () => {
    const forged = Buffer.from(JSON.stringify({ state: "s", nonce: "n", verifier: "v", ends_ms: 9e15 }));
    for (const change of [() => "", (c: string) => `${c}x`, (c: string) => `${forged.toString("base64url")}.${c}`]) {
      expect((await signIn(undefined, change)).answer.json()).toMatchObject({ code: "SIGN_IN_REFUSED" });
    }
  });
  test("a disabled account", async () => {
    provider.next.claims = { sub: "u-3", preferred_username: "former", groups: ["edge-team"] };
    expect((await signIn()).who).toMatchObject({ user: "former" });
    const headers = await people.tokenOf("admin");
    const former = await people.hub.store.users.find({ name: "former" });
    const url = `/api/v1/users/${former?.id}`;
    await people.app.inject({ method: "PATCH", url, headers, payload: { disabled: true } });
    expect((await signIn()).answer.json()).toMatchObject({ code: "SIGN_IN_REFUSED" });
  });
  test("a person is sent to the sign-in page, with the code alone", async () => {
    provider.next.claims = { sub: "u-9", preferred_username: "x", groups: [] };
    const away = await get("/api/v1/session/oidc");
    const back = await provider.visit(String(away.headers.location));
    const cookie = `context_edge_oidc=${away.cookies[0]?.value}`;
    const answer = await get(`${back.pathname}${back.search}`, { cookie, accept: "text/html" });
    expect(answer.headers.location).toBe("/#SIGN_IN_REFUSED");
  });
});

test("a provider that does not answer is told as such, and passwords still work", async () => {
  const other = await openPeopleHub(undefined, {
    HUB_OIDC_ISSUER: "http://127.0.0.1:1",
    HUB_OIDC_CLIENT_ID: "edge-hub",
    HUB_OIDC_CLIENT_SECRET_FILE: join(dir, "secret"),
    HUB_OIDC_ROLES: "*=viewer",
    HUB_PUBLIC_URL: "http://hub.example:8000",
  });
  const answer = await other.app.inject({ url: "/api/v1/session/oidc" });
  expect(answer.json()).toMatchObject({ status: 503, code: "SIGN_IN_UNAVAILABLE" });
  await other.close();
});

test("the role comes from a claim however deep, the highest counts, and * is anybody", () => {
  const config = { issuer: "", clientId: "", clientSecret: "", roleClaim: "realm.roles" };
  const roles = new Map([
    ["*", "viewer"],
    ["a", "admin"],
    ["e", "engineer"],
  ] as const);
  expect(roleOf({ ...config, roles }, { realm: { roles: ["e", "a"] } })).toBe("admin");
  expect(roleOf({ ...config, roles }, { realm: { roles: "e" } })).toBe("engineer");
  expect(roleOf({ ...config, roles }, {})).toBe("viewer");
  expect(roleOf({ ...config, roles: new Map([["a", "admin"]]) }, { realm: { roles: [["a"], 1, {}] } })).toBeNull();
});
