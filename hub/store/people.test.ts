// What every store must do for people and machines: names once, secrets found by hash alone, the last use given to one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { startPostgres } from "../testing/postgres.ts";
import type { JoinTokenRecord, TokenRecord, UserRecord } from "./people-schema.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

const AT = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-02T00:00:00.000Z";
const ada: UserRecord = {
  id: "usr-1",
  name: "ada",
  password_hash: null,
  oidc_subject: null,
  role: "admin",
  created_at: AT,
  created_by: "hub",
  disabled_at: null,
};
const made = { name: "ci", hash: "h-1", prefix: "cet_abcd", created_at: AT, created_by: "ada", expires_at: null };
const token: TokenRecord = { ...made, id: "tok-1", revoked_at: null, scope: "publisher", last_used: null };
const joinToken: JoinTokenRecord = { ...made, id: "join-1", revoked_at: null, group_name: "line-1", uses_left: 2 };

function peopleContract(name: string, fresh: (dir: string) => Promise<Store>) {
  describe(`people on ${name}`, () => {
    let dir: string;
    let store: Store;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "people-store-"));
      store = await fresh(dir);
    });
    afterEach(async () => {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    });

    test("a name is taken once, several accounts may be without a subject, and what is set is read back", async () => {
      await store.users.insert(ada);
      await store.users.insert({ ...ada, id: "usr-2", name: "erik", role: "viewer" });
      await expect(store.users.insert({ ...ada, id: "usr-3" })).rejects.toThrow(/unique/i);
      await store.users.update("usr-2", { role: "engineer", disabled_at: LATER });
      expect(await store.users.count()).toBe(2);
      expect(await store.users.find({ id: "usr-1" })).toEqual(ada);
      expect(await store.users.find({ name: "erik" })).toMatchObject({ role: "engineer", disabled_at: LATER });
      expect(await store.users.find({ oidc_subject: "x" })).toBeUndefined();
    });

    test("a session is found with its person, and ended alone, with the others, or by its time", async () => {
      await store.users.insert(ada);
      const times = { created_at: AT, last_used: AT, expires_at: LATER };
      const session = { ...times, user_id: ada.id, bound_to: null, address: "192.0.2.1", agent: null };
      for (const hash of ["a", "b", "c"]) await store.sessions.insert({ ...session, hash });
      await store.sessions.insert({ ...session, hash: "shared", user_id: null, bound_to: "x" });
      expect((await store.sessions.list(ada.id)).map(({ hash }) => hash)).toEqual(["a", "b", "c"]);
      expect((await store.sessions.list(null)).map(({ hash }) => hash)).toEqual(["shared"]);
      expect(await store.sessions.find("a")).toEqual({ session: { ...session, hash: "a" }, user: ada });
      await store.sessions.touch("b", LATER);
      await store.sessions.end("a");
      await store.sessions.endOf(ada.id, "b");
      expect(await store.sessions.find("c")).toBeUndefined();
      expect((await store.sessions.find("b"))?.session.last_used).toBe(LATER);
      expect(await store.sessions.find("shared")).toMatchObject({ session: { bound_to: "x" } });
      await store.sessions.endExpired(LATER);
      expect(await store.sessions.find("b")).toBeUndefined();
    });

    test("links are void by person, and those of the first admin apart from them", async () => {
      await store.users.insert(ada);
      await store.links.insert({ hash: "first", user_id: null, created_at: AT, expires_at: LATER });
      await store.links.insert({ hash: "hers", user_id: ada.id, created_at: AT, expires_at: LATER });
      await store.links.voidOf(ada.id);
      expect([await store.links.find("first"), await store.links.find("hers")]).toEqual([
        expect.objectContaining({ hash: "first" }),
        undefined,
      ]);
      await store.links.voidOf(null);
      expect(await store.links.find("first")).toBeUndefined();
    });

    test("tokens are found by hash, and a join token's uses go to as many as there are, also at once", async () => {
      await store.tokens.insert(token);
      await store.joinTokens.insert(joinToken);
      expect(await store.tokens.find({ hash: "h-1" })).toEqual(token);
      await store.tokens.touch(token.id, LATER);
      await store.tokens.revoke(token.id, LATER);
      expect(await store.tokens.list()).toEqual([{ ...token, last_used: LATER, revoked_at: LATER }]);
      const used = await Promise.all(
        [1, 2, 3, 4].map(() => store.transaction((tx) => tx.joinTokens.use(joinToken.id))),
      );
      expect(used.filter(Boolean)).toHaveLength(2);
      expect(await store.joinTokens.find({ hash: "h-1" })).toEqual({ ...joinToken, uses_left: 0 });
    });
  });
}

peopleContract("SQLite", (dir) => openSqlite(join(dir, "hub.sqlite")));

const postgres = await startPostgres();
afterAll(() => postgres?.close());
describe.skipIf(postgres === null)("with a server", () => {
  peopleContract("PostgreSQL", async () => openPostgres((await postgres?.database()) ?? ""));
});
