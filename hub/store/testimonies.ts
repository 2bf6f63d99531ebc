// What devices say about bytes they tried: the newest word of each, kept apart from their last outcomes, which later versions replace.
import type { Kysely } from "kysely";
import type { TestimonyRecord } from "./records.ts";
import type { Schema } from "./schema.ts";

export interface TestimonyRepository {
  /** Replaces what this device said of this digest before. */
  put(testimony: TestimonyRecord): Promise<void>;
  /** Digests that somebody speaks against. */
  accused(): Promise<string[]>;
  of(digest: string): Promise<TestimonyRecord[]>;
}

export function testimoniesOn(db: Kysely<Schema>): TestimonyRepository {
  return {
    put: async ({ against, ...rest }) => {
      const row = { ...rest, against: against ? 1 : 0 };
      await db
        .insertInto("testimonies")
        .values(row)
        .onConflict((conflict) => conflict.columns(["digest", "device_id"]).doUpdateSet(row))
        .execute();
    },
    accused: async () => {
      const rows = await db
        .selectFrom("testimonies")
        .select("digest")
        .distinct()
        .where("against", "=", 1)
        .orderBy("digest")
        .execute();
      return rows.map(({ digest }) => digest);
    },
    of: async (digest) => {
      const rows = await db
        .selectFrom("testimonies")
        .selectAll()
        .where("digest", "=", digest)
        .orderBy("device_id")
        .execute();
      return rows.map(({ against, ...row }) => ({ ...row, against: against === 1 }));
    },
  };
}
