// A hold by the hub: until then the device begins and activates nothing.
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const hold: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("devices").addColumn("hold", "text").execute();
  },
};
