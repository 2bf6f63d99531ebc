// A test hub with accounts: an admin, an engineer and a viewer, tokens of each scope, and ones that are no longer good.
import type { FastifyInstance } from "fastify";
import { startSession } from "../auth/accounts.ts";
import { createUser } from "../operations/accounts.ts";
import { createToken, revokeToken } from "../operations/tokens.ts";
import type { Role, TokenScope } from "@context-edge/protocol";
import { openTestHub, type TestDevice, type TestHub } from "./test-hub.ts";

type Headers = Record<string, string>;

export const PASSWORD = "correct horse battery";

export interface PeopleHub extends TestHub {
  /** A fresh session of `ada` (admin), `erik` (engineer) or `vera` (viewer). */
  cookieOf(name: string): Promise<Headers>;
  tokenOf(scope: TokenScope): Promise<Headers>;
  expiredCookie(): Promise<Headers>;
  endedCookie(): Promise<Headers>;
  disabledCookie(): Promise<Headers>;
  revokedToken(): Promise<Headers>;
  expiredToken(): Promise<Headers>;
  device: TestDevice;
  revokedDevice: TestDevice;
}

export async function openPeopleHub(
  more: (app: FastifyInstance) => void = () => undefined,
  env: Record<string, string> = {},
): Promise<PeopleHub> {
  const testHub = await openTestHub({ HUB_AUTH: "accounts", ...env }, Date.now, more);
  const { hub } = testHub;
  const { changes, store } = hub;
  // One hash for all: what it costs is not what these tests are about.
  const password_hash = await hub.people.passwords.hash(PASSWORD);
  const roles: [string, Role][] = [
    ["ada", "admin"],
    ["erik", "engineer"],
    ["vera", "viewer"],
    ["gone", "engineer"],
  ];
  const tokens = new Map<string, string>();
  await changes.make("the test", async (change) => {
    for (const [name, role] of roles) await createUser(change, { name, role, password_hash });
    for (const scope of ["publisher", "viewer", "engineer", "admin"] as const)
      tokens.set(scope, (await createToken(change, { name: `ci-${scope}`, scope })).secret);
    tokens.set("revoked", (await createToken(change, { name: "lost", scope: "admin" })).secret);
    tokens.set("expired", (await createToken(change, { name: "old", scope: "admin", expires_days: 1e-9 })).secret);
    await revokeToken(change, "token", { name: "lost" });
  });
  const bearer = (name: string) => ({ authorization: `Bearer ${tokens.get(name) ?? ""}` });

  const cookieOf = async (name: string): Promise<Headers> => {
    const user = await store.users.find({ name });
    if (!user) throw new Error(`nobody is called ${name}`);
    const { secret } = await changes.make(name, (change) => startSession(change, { user, by: "password" }, null));
    return { cookie: `context_edge_session=${secret}` };
  };

  const ended = await cookieOf("erik");
  await testHub.app.inject({ method: "DELETE", url: "/api/v1/session", headers: ended });
  const user = await store.users.find({ name: "erik" });
  const expired = await changes.make("erik", (change) =>
    startSession({ ...change, at: "2020-01-01T00:00:00.000Z" }, user ? { user, by: "password" } : { token: "" }, null),
  );
  const disabled = await cookieOf("gone");
  const gone = await store.users.find({ name: "gone" });
  // Disabled behind the hub's back, so that the session is still there and only the account says no.
  await store.transaction((tx) => tx.users.update(gone?.id ?? "", { disabled_at: "2026-01-01T00:00:00.000Z" }));

  const device = await testHub.enroll("edge-001", "line-1");
  const revokedDevice = await testHub.enroll("edge-666", "line-1");
  await testHub.app.inject({
    method: "POST",
    url: "/api/v1/devices/edge-666/decommission",
    headers: bearer("admin"),
    payload: { reason: "stolen" },
  });
  return {
    ...testHub,
    cookieOf,
    tokenOf: async (scope) => bearer(scope),
    expiredCookie: async () => ({ cookie: `context_edge_session=${expired.secret}` }),
    endedCookie: async () => ended,
    disabledCookie: async () => disabled,
    revokedToken: async () => bearer("revoked"),
    expiredToken: async () => bearer("expired"),
    device,
    revokedDevice,
  };
}
