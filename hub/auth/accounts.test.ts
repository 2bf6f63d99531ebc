// Accounts and tokens through the API: made, changed, taken away; each counts at once and is in the history.
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPeopleHub, PASSWORD, type PeopleHub } from "../testing/people-hub.ts";
import { openTestHub, until } from "../testing/test-hub.ts";
import { firstAdminLink } from "./first-start.ts";
import { endWhenSignedOut } from "./watch-stream.ts";

let people: PeopleHub;
let admin: Record<string, string>;
beforeAll(async () => {
  people = await openPeopleHub();
  admin = await people.cookieOf("ada");
});
afterAll(() => people.close());

type Body = Record<string, unknown>;
type Method = "GET" | "POST" | "PATCH" | "DELETE";
async function call(method: Method, url: string, headers: Record<string, string>, payload?: object) {
  const answer = await people.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.body === "" ? {} : answer.json<Body>(), cookies: answer.cookies };
}
const post = (url: string, payload?: object) => call("POST", url, admin, payload);
const idOf = async (name: string) => (await people.hub.store.users.find({ name }))?.id ?? "";
const kinds = async () =>
  (await people.hub.store.events.newest(1_000)).map(({ kind, subject }) => `${kind} ${subject}`);
const secretIn = (link: unknown) => String(link).split("#")[1] ?? "";

describe("accounts", () => {
  test("one made with a link chooses its own password, once, and acts under its own name", async () => {
    const made = await post("/api/v1/users", { name: "Grace", role: "engineer" });
    expect(made).toMatchObject({ status: 201, body: { user: { name: "grace", signs_in_with: "nothing yet" } } });
    const setup = { secret: secretIn(made.body["setup_link"]), password: "a password of her own" };
    const used = await call("POST", "/api/v1/setup", {}, setup);
    expect(used).toMatchObject({ status: 200, body: { signed_in: true, user: "grace", role: "engineer" } });
    expect((await call("POST", "/api/v1/setup", {}, setup)).body).toMatchObject({ code: "SIGN_IN_REFUSED" });
    const cookie = { cookie: `context_edge_session=${used.cookies[0]?.value}` };
    expect((await call("POST", "/api/v1/groups", cookie, { name: "graces-line" })).status).toBe(201);
    const [event] = (await people.hub.store.events.newest(20)).filter(({ kind }) => kind === "group.created");
    expect(event).toMatchObject({ actor: "grace", subject: "graces-line" });
    expect(await kinds()).toEqual(expect.arrayContaining(["user.created grace", "user.signed-in grace"]));
  });
  test("a role that is taken away counts in the very next request, and so does disabling", async () => {
    const session = await people.cookieOf("erik");
    const url = `/api/v1/users/${await idOf("erik")}`;
    await call("PATCH", url, admin, { role: "viewer" });
    expect((await call("POST", "/api/v1/groups", session, { name: "x1" })).status).toBe(403);
    expect((await call("GET", "/api/v1/groups", session)).status).toBe(200);
    await call("PATCH", url, admin, { disabled: true });
    expect((await call("GET", "/api/v1/groups", session)).status).toBe(401);
    await call("PATCH", url, admin, { disabled: false, role: "engineer" });
    expect((await call("GET", "/api/v1/groups", session)).status, "the old session stays ended").toBe(401);
  });
  test("the only admin can be neither demoted nor disabled", async () => {
    const url = `/api/v1/users/${await idOf("ada")}`;
    for (const payload of [{ role: "viewer" }, { disabled: true }])
      expect((await call("PATCH", url, admin, payload)).body).toMatchObject({ status: 409, code: "CONFLICT" });
  });
  test("changing one's password ends the other sessions and needs the present one", async () => {
    const [here, elsewhere] = [await people.cookieOf("vera"), await people.cookieOf("vera")];
    const change = (current: string) =>
      call("POST", "/api/v1/session/password", here, { current, password: "another long password" });
    expect((await change("not it")).status).toBe(401);
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect((await call("GET", "/api/v1/groups", elsewhere)).status).toBe(401);
    expect((await call("GET", "/api/v1/groups", here)).status, "rotated").toBe(401);
    const now = { cookie: `context_edge_session=${changed.cookies[0]?.value}` };
    expect((await call("GET", "/api/v1/groups", now)).status).toBe(200);
  });
  test("a reset voids the password and every session; names of the hub itself are refused", async () => {
    const session = await people.cookieOf("vera");
    const reset = await post(`/api/v1/users/${await idOf("vera")}/reset`);
    expect(reset.body["setup_link"]).toMatch(/\/setup#cel_/);
    expect((await call("GET", "/api/v1/groups", session)).status).toBe(401);
    expect((await people.hub.store.users.find({ name: "vera" }))?.password_hash).toBeNull();
    for (const name of ["conductor", "device x", "Ada"])
      expect((await post("/api/v1/users", { name, role: "viewer" })).status).toBeGreaterThanOrEqual(400);
  });
  test("no answer holds a hash", async () => {
    const lists = await Promise.all(["users", "tokens", "join-tokens"].map((w) => call("GET", `/api/v1/${w}`, admin)));
    expect(JSON.stringify(lists)).not.toMatch(/argon2|hash|oidc_subject/);
  });
});

describe("the first start", () => {
  test("one link makes the first admin; it is void when used, and of two at once one wins", async () => {
    const empty = await openTestHub({ HUB_AUTH: "accounts" });
    const links = [await firstAdminLink(empty.hub), await firstAdminLink(empty.hub)];
    expect((await empty.call("GET", "/api/v1/session")).body).toMatchObject({ setup_needed: true, signed_in: false });
    const answers = await Promise.all(
      links.map((link, n) =>
        empty.call("POST", "/api/v1/setup", { secret: secretIn(link), name: `first-${n}`, password: PASSWORD }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    expect(await empty.hub.store.users.count()).toBe(1);
    expect((await empty.call("GET", "/api/v1/session")).body).toMatchObject({ setup_needed: false });
    expect(await firstAdminLink(empty.hub)).toBeNull();
    await empty.close();
  });
});

describe("tokens", () => {
  test("an API token acts under its name until it is revoked, and its use is remembered", async () => {
    const made = await post("/api/v1/tokens", { name: "ci", scope: "engineer", expires_days: 30 });
    const bearer = { authorization: `Bearer ${String(made.body["secret"])}` };
    expect((await call("POST", "/api/v1/groups", bearer, { name: "by-token" })).status).toBe(201);
    const [event] = (await people.hub.store.events.newest(5)).filter(({ subject }) => subject === "by-token");
    expect(event?.actor).toBe("token ci");
    const { id } = made.body["token"] as { id: string };
    await until(async () => (await people.hub.store.tokens.find({ id }))?.last_used !== null);
    expect((await post("/api/v1/tokens", { name: "ci", scope: "viewer" })).body).toMatchObject({ code: "CONFLICT" });
    expect((await call("DELETE", `/api/v1/tokens/${id}`, admin)).status).toBe(204);
    expect((await call("GET", "/api/v1/groups", bearer)).status).toBe(401);
    expect(await kinds()).toEqual(expect.arrayContaining(["token.created ci", "token.revoked ci"]));
  });
  test("a token in a header is what counts, whatever cookie comes along", async () => {
    const both = { ...admin, authorization: "Bearer cet_nonsense" };
    expect((await call("GET", "/api/v1/users", both)).status).toBe(401);
  });
});

test("a live stream ends soon after its reader was signed out", async () => {
  let opened: PeopleHub | undefined;
  // A route like that of the events, with a shorter look: nobody waits a quarter of a minute here.
  const other = await openPeopleHub((app) => {
    app.get("/api/v1/stream", (request, reply) => {
      reply.hijack();
      reply.raw.write("hello");
      if (opened) endWhenSignedOut(opened.hub.people, request, reply.raw, 10);
    });
  });
  opened = other;
  const headers = await other.cookieOf("ada");
  await other.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = other.app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/stream`, { headers });
  expect(response.status).toBe(200);
  await other.app.inject({ method: "DELETE", url: "/api/v1/session", headers });
  await expect(response.text()).rejects.toThrow("terminated");
  await other.close();
});
