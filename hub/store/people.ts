// The repositories of people and machines: accounts, sessions, one-time links, API tokens and join tokens.
import { type Kysely, sql } from "kysely";
import type { JoinTokenRecord, LinkRecord, SessionRecord, TokenRecord, UserRecord } from "./people-schema.ts";
import type { Schema } from "./schema.ts";

export interface PeopleRepositories {
  users: {
    list(): Promise<UserRecord[]>;
    count(): Promise<number>;
    find(by: { id: string } | { name: string } | { oidc_subject: string }): Promise<UserRecord | undefined>;
    insert(user: UserRecord): Promise<void>;
    update(id: string, change: Partial<Pick<UserRecord, "role" | "password_hash" | "disabled_at">>): Promise<void>;
  };
  sessions: {
    /** With the user it belongs to. */
    find(hash: string): Promise<{ session: SessionRecord; user: UserRecord | undefined } | undefined>;
    /** Of one person, or with null of the holders of the hub's one token; newest first. */
    list(userId: string | null): Promise<SessionRecord[]>;
    insert(session: SessionRecord): Promise<void>;
    touch(hash: string, at: string): Promise<void>;
    end(hash: string): Promise<void>;
    /** @param keep the one that goes on, by its hash. */
    endOf(userId: string, keep?: string): Promise<void>;
    endExpired(at: string): Promise<void>;
  };
  links: {
    find(hash: string): Promise<LinkRecord | undefined>;
    insert(link: LinkRecord): Promise<void>;
    /** All of this user's, or with null those for the first admin. */
    voidOf(userId: string | null): Promise<void>;
  };
  tokens: {
    list(): Promise<TokenRecord[]>;
    find(by: { id: string } | { hash: string }): Promise<TokenRecord | undefined>;
    insert(token: TokenRecord): Promise<void>;
    touch(id: string, at: string): Promise<void>;
    revoke(id: string, at: string): Promise<void>;
  };
  joinTokens: {
    list(): Promise<JoinTokenRecord[]>;
    find(by: { id: string } | { hash: string }): Promise<JoinTokenRecord | undefined>;
    insert(token: JoinTokenRecord): Promise<void>;
    /** @returns false when no use was left. */
    use(id: string): Promise<boolean>;
    revoke(id: string, at: string): Promise<void>;
  };
}

export function peopleOn(db: Kysely<Schema>): PeopleRepositories {
  return {
    users: usersOn(db),
    sessions: sessionsOn(db),
    links: linksOn(db),
    tokens: tokensOn(db),
    joinTokens: joinTokensOn(db),
  };
}

function usersOn(db: Kysely<Schema>): PeopleRepositories["users"] {
  const all = db.selectFrom("users").selectAll();
  return {
    list: () => all.orderBy("name").execute(),
    count: async () => {
      const row = await db
        .selectFrom("users")
        .select((eb) => eb.fn.countAll<number | string>().as("count"))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    find: (by) => {
      if ("id" in by) return all.where("id", "=", by.id).executeTakeFirst();
      if ("name" in by) return all.where("name", "=", by.name).executeTakeFirst();
      return all.where("oidc_subject", "=", by.oidc_subject).executeTakeFirst();
    },
    insert: async (user) => {
      await db.insertInto("users").values(user).execute();
    },
    update: async (id, change) => {
      await db.updateTable("users").set(change).where("id", "=", id).execute();
    },
  };
}

function sessionsOn(db: Kysely<Schema>): PeopleRepositories["sessions"] {
  return {
    find: async (hash) => {
      const session = await db.selectFrom("sessions").selectAll().where("hash", "=", hash).executeTakeFirst();
      if (!session) return undefined;
      const user = session.user_id === null ? undefined : await usersOn(db).find({ id: session.user_id });
      return { session, user };
    },
    list: (userId) => {
      const all = db.selectFrom("sessions").selectAll().orderBy("created_at", "desc").orderBy("hash");
      return (userId === null ? all.where("user_id", "is", null) : all.where("user_id", "=", userId)).execute();
    },
    insert: async (session) => {
      await db.insertInto("sessions").values(session).execute();
    },
    touch: async (hash, at) => {
      await db.updateTable("sessions").set({ last_used: at }).where("hash", "=", hash).execute();
    },
    end: async (hash) => {
      await db.deleteFrom("sessions").where("hash", "=", hash).execute();
    },
    endOf: async (userId, keep = "") => {
      await db.deleteFrom("sessions").where("user_id", "=", userId).where("hash", "!=", keep).execute();
    },
    endExpired: async (at) => {
      await db.deleteFrom("sessions").where("expires_at", "<=", at).execute();
      await db.deleteFrom("one_time_links").where("expires_at", "<=", at).execute();
    },
  };
}

function linksOn(db: Kysely<Schema>): PeopleRepositories["links"] {
  return {
    find: (hash) => db.selectFrom("one_time_links").selectAll().where("hash", "=", hash).executeTakeFirst(),
    insert: async (link) => {
      await db.insertInto("one_time_links").values(link).execute();
    },
    voidOf: async (userId) => {
      const links = db.deleteFrom("one_time_links");
      await (userId === null ? links.where("user_id", "is", null) : links.where("user_id", "=", userId)).execute();
    },
  };
}

function tokensOn(db: Kysely<Schema>): PeopleRepositories["tokens"] {
  const all = db.selectFrom("tokens").selectAll();
  return {
    list: () => all.orderBy("created_at").orderBy("id").execute(),
    find: (by) => ("id" in by ? all.where("id", "=", by.id) : all.where("hash", "=", by.hash)).executeTakeFirst(),
    insert: async (token) => {
      await db.insertInto("tokens").values(token).execute();
    },
    touch: async (id, at) => {
      await db.updateTable("tokens").set({ last_used: at }).where("id", "=", id).execute();
    },
    revoke: async (id, at) => {
      await db.updateTable("tokens").set({ revoked_at: at }).where("id", "=", id).execute();
    },
  };
}

function joinTokensOn(db: Kysely<Schema>): PeopleRepositories["joinTokens"] {
  const all = db.selectFrom("join_tokens").selectAll();
  return {
    list: () => all.orderBy("created_at").orderBy("id").execute(),
    find: (by) => ("id" in by ? all.where("id", "=", by.id) : all.where("hash", "=", by.hash)).executeTakeFirst(),
    insert: async (token) => {
      await db.insertInto("join_tokens").values(token).execute();
    },
    use: async (id) => {
      // One statement: two devices that come at once do not both get the last use.
      const result = await db
        .updateTable("join_tokens")
        .set({ uses_left: sql<number>`uses_left - 1` })
        .where("id", "=", id)
        .where("uses_left", ">", 0)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    revoke: async (id, at) => {
      await db.updateTable("join_tokens").set({ revoked_at: at }).where("id", "=", id).execute();
    },
  };
}
