// One's own sessions: listed, ended one by one or all at once, and over when nobody uses them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserSession } from "@context-edge/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { createUser } from "../operations/accounts.ts";
import { openPeopleHub, PASSWORD, type PeopleHub } from "../testing/people-hub.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";
import { startSession } from "./accounts.ts";

const URL_ = "/api/v1/session/sessions";
type Headers = Record<string, string>;

const call = (hub: TestHub, method: "GET" | "DELETE", url: string, headers: Headers) =>
  hub.app.inject({ method, url, headers });
const list = async (hub: TestHub, headers: Headers) =>
  (await call(hub, "GET", URL_, headers)).json<{ items: BrowserSession[] }>().items;
const isIn = async (hub: TestHub, headers: Headers) =>
  (await call(hub, "GET", "/api/v1/groups", headers)).statusCode === 200;

async function signIn(hub: TestHub, payload: object, remoteAddress: string, agent: string): Promise<Headers> {
  const headers = { "user-agent": agent };
  const answer = await hub.app.inject({ method: "POST", url: "/api/v1/session", remoteAddress, headers, payload });
  return { cookie: `context_edge_session=${answer.cookies[0]?.value}` };
}

describe("a person", () => {
  let people: PeopleHub;
  let [here, away]: Headers[] = [];
  beforeEach(async () => {
    people = await openPeopleHub();
    const erik = { name: "erik", password: PASSWORD };
    here = await signIn(people, erik, "192.0.2.1", "Firefox");
    away = await signIn(people, erik, "192.0.2.2", "x".repeat(1_000));
  });
  afterEach(() => people.close());
  const at = (headers: Headers | undefined) => headers ?? {};

  test("sees where they are signed in, this one marked, with no secret and nobody else's", async () => {
    await people.cookieOf("ada");
    const items = await list(people, at(here));
    expect(items).toMatchObject([
      { current: false, address: "192.0.2.2", agent: "x".repeat(200) },
      { current: true, address: "192.0.2.1", agent: "Firefox", last_used: expect.any(String) },
    ]);
    const stored = await people.hub.store.sessions.list(
      (await people.hub.store.users.find({ name: "erik" }))?.id ?? "",
    );
    for (const { hash } of stored) expect(JSON.stringify(items)).not.toContain(hash);
  });

  test("ends one elsewhere, which is out at once; it cannot be ended twice, and nobody ends another's", async () => {
    const [other] = await list(people, at(here));
    const end = async (headers: Headers) => (await call(people, "DELETE", `${URL_}/${other?.id}`, headers)).statusCode;
    expect(await end(await people.cookieOf("ada"))).toBe(404);
    expect(await isIn(people, at(away))).toBe(true);
    expect(await end(at(here))).toBe(204);
    expect([await isIn(people, at(away)), await isIn(people, at(here))]).toEqual([false, true]);
    const again = await call(people, "DELETE", `${URL_}/${other?.id}`, at(here));
    expect(again.json()).toMatchObject({ status: 404, code: "SESSION_UNKNOWN" });
    expect((await people.hub.store.events.newest(1))[0]).toMatchObject({ kind: "user.sessions-ended", actor: "erik" });
  });

  test("ends this one, and the browser forgets it", async () => {
    const mine = (await list(people, at(here))).find(({ current }) => current);
    const answer = await call(people, "DELETE", `${URL_}/${mine?.id}`, at(here));
    expect(answer.cookies).toMatchObject([{ name: "context_edge_session", value: "" }]);
    expect(await isIn(people, at(here))).toBe(false);
  });

  test("ends all others at once", async () => {
    await people.cookieOf("erik");
    expect((await call(people, "DELETE", URL_, at(here))).json()).toEqual({ ended: 2 });
    expect([await isIn(people, at(away)), await isIn(people, at(here))]).toEqual([false, true]);
    expect((await call(people, "DELETE", URL_, at(here))).json()).toEqual({ ended: 0 });
  });

  test("who comes with a token has none", async () => {
    const answer = await call(people, "GET", URL_, await people.tokenOf("admin"));
    expect(answer.json()).toMatchObject({ status: 400, code: "BAD_REQUEST" });
  });
});

describe("a session that is not used is over", () => {
  let clock: { ms: number };
  let dir: string;
  beforeEach(() => {
    clock = { ms: Date.parse("2026-03-01T08:00:00.000Z") };
    dir = mkdtempSync(join(tmpdir(), "context-edge-token-"));
    writeFileSync(join(dir, "token"), "the-one-token-of-this-hub");
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const MINUTE = 60_000;

  const ways: [string, (hub: TestHub) => Promise<Headers>][] = [
    ["token", (hub) => signIn(hub, { token: "the-one-token-of-this-hub" }, "192.0.2.1", "Firefox")],
    [
      "accounts",
      async (hub) => {
        const { secret } = await hub.hub.changes.make("the test", async (change) => {
          const user = await createUser(change, { name: "ada", role: "admin", password_hash: null });
          return startSession(change, { user, by: "password" }, null);
        });
        return { cookie: `context_edge_session=${secret}` };
      },
    ],
  ];
  test.each(ways)(
    "after HUB_SESSION_IDLE_MINUTES, and not as long as it is used (HUB_AUTH=%s)",
    async (auth, enter) => {
      const env = { HUB_AUTH: auth, HUB_API_TOKEN_FILE: join(dir, "token"), HUB_SESSION_IDLE_MINUTES: "60" };
      const hub = await openTestHub(env, () => clock.ms);
      const session = await enter(hub);
      for (let time = 0; time < 5; time += 1) {
        clock.ms += 50 * MINUTE;
        expect(await isIn(hub, session)).toBe(true);
        const usedAt = new Date(clock.ms).toISOString();
        await until(async () => (await list(hub, session))[0]?.last_used === usedAt);
      }
      clock.ms += 60 * MINUTE;
      expect(await isIn(hub, session)).toBe(false);
      const again = auth === "token" ? await enter(hub) : undefined;
      if (again) expect(await list(hub, again), "the one that is over is not listed").toHaveLength(1);
      await hub.close();
    },
  );

  test.each(["1", "20000", "soon"])("%s minutes are refused as a setting", (minutes) => {
    expect(readConfig({ HUB_SESSION_IDLE_MINUTES: minutes })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("HUB_SESSION_IDLE_MINUTES"),
    });
  });
});
