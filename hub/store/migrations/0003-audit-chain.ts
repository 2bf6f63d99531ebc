// The audit's hash chain: two columns, the head, and what was written before chained in its order.
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { chainHash, GENESIS } from "../audit-chain.ts";

interface OldEvent {
  id: number;
  at: string;
  kind: string;
  actor: string;
  subject: string;
  summary: string;
  data: string;
}

export const auditChain: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable("events")
      .addColumn("previous_hash", "text", (c) => c.notNull().defaultTo(""))
      .execute();
    await db.schema
      .alterTable("events")
      .addColumn("hash", "text", (c) => c.notNull().defaultTo(""))
      .execute();
    await db.schema
      .createTable("audit_head")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("id", "bigint", (c) => c.notNull())
      .addColumn("hash", "text", (c) => c.notNull())
      .execute();
    const { rows } = await sql<OldEvent>`select * from events order by id`.execute(db);
    let previous = GENESIS;
    for (const event of rows) {
      const hash = chainHash(previous, event);
      await sql`update events set previous_hash = ${previous}, hash = ${hash} where id = ${event.id}`.execute(db);
      previous = hash;
    }
    const last = rows.at(-1);
    if (last) await sql`insert into audit_head (name, id, hash) values ('head', ${last.id}, ${previous})`.execute(db);
  },
};
