// Every role on every route, over a real socket: allowed or refused as the table says, and nothing else.
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Role } from "@context-edge/protocol";
import { openPeopleHub, type PeopleHub } from "../testing/people-hub.ts";
import { accessOf, mayCall, PERMISSIONS } from "./permissions.ts";

let people: PeopleHub;
let base: string;
beforeAll(async () => {
  people = await openPeopleHub(undefined, { HUB_TRUSTED_PROXIES: "127.0.0.1" });
  await people.app.listen({ port: 0, host: "127.0.0.1" });
  base = `http://127.0.0.1:${(people.app.server.address() as AddressInfo).port}`;
});
afterAll(() => people.close());

type Verdict = "allowed" | "nobody" | "not enough" | "revoked";
interface Caller {
  /** Null: nobody that the hub knows. */
  role: Role | "publisher" | null;
  device?: "good" | "revoked";
  headers: () => Promise<Record<string, string>>;
}

const CALLERS: Record<string, Caller> = {
  nobody: { role: null, headers: async () => ({}) },
  viewer: { role: "viewer", headers: () => people.cookieOf("vera") },
  engineer: { role: "engineer", headers: () => people.cookieOf("erik") },
  admin: { role: "admin", headers: () => people.cookieOf("ada") },
  "publisher token": { role: "publisher", headers: () => people.tokenOf("publisher") },
  "viewer token": { role: "viewer", headers: () => people.tokenOf("viewer") },
  "engineer token": { role: "engineer", headers: () => people.tokenOf("engineer") },
  "admin token": { role: "admin", headers: () => people.tokenOf("admin") },
  "device credential": { role: null, device: "good", headers: async () => people.device.headers },
  "revoked device": { role: null, device: "revoked", headers: async () => people.revokedDevice.headers },
  "expired session": { role: null, headers: () => people.expiredCookie() },
  "ended session": { role: null, headers: () => people.endedCookie() },
  "session of a disabled account": { role: null, headers: () => people.disabledCookie() },
  "revoked token": { role: null, headers: () => people.revokedToken() },
  "expired token": { role: null, headers: () => people.expiredToken() },
  "made-up token": { role: null, headers: async () => ({ authorization: `Bearer cet_${"x".repeat(43)}` }) },
  "join token as bearer": { role: null, headers: async () => ({ authorization: "Bearer join-token-of-a-test" }) },
};

function expected({ role, device }: Caller, key: string): Verdict {
  const [method = "", pattern = ""] = key.split(" ");
  const access = accessOf(method, pattern);
  if (!access) return role === "admin" ? "allowed" : role === null ? "nobody" : "not enough";
  if (access.least === "anyone") return "allowed";
  if (access.least === "device") {
    // The join token is in the body, and there is none: enrolment lets everybody as far as that.
    if (pattern === "/device/v1/enroll" || device === "good") return "allowed";
    return device === "revoked" ? "revoked" : "nobody";
  }
  if (role === null) return "nobody";
  return mayCall(role, access) ? "allowed" : "not enough";
}

let asked = 0;
/** Each from an address of its own: trying one token on every route would count as guessing. */
const newAddress = () => `10.${(asked += 1) >> 16}.${(asked >> 8) & 255}.${asked & 255}`;

/** A path that names nothing: whoever gets past the door is told so, and nothing is changed by trying. */
async function ask(key: string, headers: Record<string, string>, write = (path: string) => path): Promise<Verdict> {
  const [method = "", pattern = ""] = key.split(" ");
  const path = pattern.replace(/:digest/, "0".repeat(64)).replaceAll(/:\w+|\*/g, "nothing");
  const hasBody = ["POST", "PUT", "PATCH"].includes(method);
  const response = await fetch(base + write(path), {
    method,
    redirect: "manual",
    headers: {
      ...headers,
      "x-forwarded-for": newAddress(),
      ...(hasBody ? { "content-type": "application/json" } : {}),
    },
    ...(hasBody ? { body: "{}" } : {}),
  });
  if (method === "HEAD" || response.headers.get("content-type") !== "application/problem+json") {
    await response.body?.cancel();
    if (response.status === 401) return "nobody";
    // Without a body there is no code: at the devices' door 403 means one thing only.
    if (response.status === 403) return pattern.startsWith("/device/") ? "revoked" : "not enough";
    return "allowed";
  }
  const problem = (await response.json()) as { code: string; context?: { needs?: string } };
  if (problem.code === "UNAUTHENTICATED") return "nobody";
  if (problem.code === "DEVICE_REVOKED") return "revoked";
  return problem.code === "FORBIDDEN" && problem.context?.needs !== undefined ? "not enough" : "allowed";
}

test("every route of the app is in the table, and every line of the table is a route", () => {
  const missing = [...people.app.routeKeys].filter((key) => {
    const [method = "", pattern = ""] = key.split(" ");
    return accessOf(method, pattern) === null;
  });
  expect(missing, "add these to hub/auth/permissions.ts").toEqual([]);
  const stale = Object.keys(PERMISSIONS).filter((key) => !people.app.routeKeys.has(key));
  expect(stale, "no such routes any more").toEqual([]);
});

describe("on every route of the app", () => {
  test.each(Object.entries(CALLERS))("%s is let in where the table says so, and nowhere else", async (_, caller) => {
    const wrong: string[] = [];
    for (const key of people.app.routeKeys) {
      // Asked anew each time: signing out is one of the routes.
      const verdict = await ask(key, await caller.headers());
      if (verdict !== expected(caller, key)) wrong.push(`${key}: ${verdict} instead of ${expected(caller, key)}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** The router decodes an address before it looks; whoever guards must not look at it as it was written. */
test.each<[string, (path: string) => string]>([
  ["percent-encoded", (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)],
  ["percent-encoded throughout", (path) => path.replaceAll(/[a-z]/g, (l) => `%${l.charCodeAt(0).toString(16)}`)],
  ["with a slash at its end", (path) => `${path}/`],
  ["with a query", (path) => `${path}?x=/healthz`],
])("nobody gets further by an address that is written otherwise: %s", async (_, write) => {
  const nobody = { role: null, headers: async () => ({}) };
  const wrong: string[] = [];
  for (const key of people.app.routeKeys) {
    const verdict = await ask(key, {}, write);
    // An address that leads nowhere is no way in either.
    if (verdict === "allowed" && expected(nobody, key) !== "allowed") wrong.push(key);
  }
  expect(wrong.filter((key) => !key.includes("/api/docs"))).toEqual([]);
});

describe("the table itself, in a few lines that do not come from it", () => {
  const rows: [string, string, Role | "publisher", boolean][] = [
    ["POST", "/mlops/models/:version/deploy-all", "publisher", false],
    ["POST", "/mlops/models/:version/approve", "publisher", false],
    ["PUT", "/api/v1/groups/:group/target", "publisher", false],
    ["PUT", "/mlops/artifacts/:digest", "publisher", true],
    ["GET", "/mlops/artifacts/:digest", "publisher", true],
    ["GET", "/mlops/artifacts/:digest", "viewer", false],
    ["POST", "/mlops/models/register", "publisher", true],
    ["GET", "/api/v1/devices", "publisher", false],
    ["GET", "/api/v1/devices", "viewer", true],
    ["PATCH", "/api/v1/devices/:id", "viewer", false],
    ["POST", "/mlops/models/:version/deploy-pilot", "engineer", true],
    ["POST", "/api/v1/users", "engineer", false],
    ["POST", "/api/v1/devices/:id/decommission", "engineer", false],
    ["POST", "/api/v1/tokens", "admin", true],
    ["GET", "/device/v1/manifest", "admin", false],
  ];
  test.each(rows)("%s %s by %s: %s", (method, pattern, scope, allowed) => {
    const access = accessOf(method, pattern);
    expect(access && mayCall(scope, access)).toBe(allowed);
  });
});

test("a route that nobody put in the table is for admins alone", async () => {
  const other = await openPeopleHub((app) => {
    app.get("/api/v1/forgotten", () => ({ secret: true }));
  });
  const get = async (headers: Record<string, string>) =>
    (await other.app.inject({ url: "/api/v1/forgotten", headers })).statusCode;
  expect(await get({})).toBe(401);
  expect(await get(await other.tokenOf("engineer"))).toBe(403);
  expect(await get(await other.tokenOf("admin"))).toBe(200);
  await other.close();
});

test("a refusal names the role that is needed, and a stranger is not told which addresses exist", async () => {
  const refusal = await people.app.inject({
    method: "POST",
    url: "/api/v1/groups",
    headers: await people.cookieOf("vera"),
    payload: { name: "x" },
  });
  expect(refusal.json()).toMatchObject({
    status: 403,
    code: "FORBIDDEN",
    next_step: expect.stringContaining("role engineer"),
  });
  expect((await people.app.inject({ url: "/api/v1/nothing" })).statusCode).toBe(401);
  expect((await people.app.inject({ url: "/api/v1/nothing", headers: await people.cookieOf("vera") })).statusCode).toBe(
    404,
  );
});
