// Digests that no device may install any more, with why, by whom, and who lifted it.
import type { Kysely, Selectable } from "kysely";
import type { QuarantineRecord } from "./records.ts";
import type { Schema } from "./schema.ts";
import type { Repositories } from "./store.ts";

export function quarantinesOn(db: Kysely<Schema>): Repositories["quarantines"] {
  const all = db.selectFrom("quarantines").selectAll();
  return {
    list: async () => (await all.orderBy("at", "desc").orderBy("digest").execute()).map(toQuarantine),
    find: async (digest) => {
      const row = await all.where("digest", "=", digest).executeTakeFirst();
      return row && toQuarantine(row);
    },
    put: async ({ by, counted, stages_before, ...rest }) => {
      const documents = { counted: JSON.stringify(counted), stages_before: JSON.stringify(stages_before) };
      const row = { ...rest, by_whom: by, ...documents };
      await db
        .insertInto("quarantines")
        .values(row)
        .onConflict((conflict) => conflict.column("digest").doUpdateSet(row))
        .execute();
    },
  };
}

function toQuarantine({
  by_whom: by,
  counted,
  stages_before,
  ...row
}: Selectable<Schema["quarantines"]>): QuarantineRecord {
  return {
    ...row,
    by,
    counted: JSON.parse(counted),
    stages_before: JSON.parse(stages_before),
  };
}
