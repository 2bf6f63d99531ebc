// Where a session was begun, so that a person who looks at the list recognises their own.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const sessionPlaces: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("sessions").addColumn("address", "text").execute();
    await db.schema.alterTable("sessions").addColumn("agent", "text").execute();
  },
};
