// Idempotency keys in the store: claimed by the first request, answered once, forgotten after their time.
import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

export interface KeyRecord {
  actor: string;
  key: string;
  fingerprint: string;
  created_at: string;
  /** Null while the first request is under way. */
  status: number | null;
  content_type: string | null;
  /** Null also where the answer held a secret. */
  body: string | null;
}

type Claim = Pick<KeyRecord, "actor" | "key" | "fingerprint" | "created_at">;

export interface IdempotencyRepository {
  idempotency: {
    /** @returns what stands for this key already; undefined when it is claimed now. */
    claim(claim: Claim, limits: { expiredBefore: string; staleBefore: string }): Promise<KeyRecord | undefined>;
    answer(claim: Claim, answer: Pick<KeyRecord, "status" | "content_type" | "body">): Promise<void>;
    release(claim: Claim): Promise<void>;
  };
}

export function idempotencyOn(db: Kysely<Schema>): IdempotencyRepository["idempotency"] {
  return {
    claim: async (claim, { expiredBefore, staleBefore }) => {
      await db
        .deleteFrom("idempotency_keys")
        .where((eb) =>
          eb.or([
            eb("created_at", "<", expiredBefore),
            // Its hub was killed in the middle: nobody will answer it any more.
            eb.and([eb("status", "is", null), eb("created_at", "<", staleBefore)]),
          ]),
        )
        .execute();
      const result = await db
        .insertInto("idempotency_keys")
        .values({ ...claim, status: null, content_type: null, body: null })
        .onConflict((c) => c.columns(["actor", "key"]).doNothing())
        .executeTakeFirst();
      if ((result.numInsertedOrUpdatedRows ?? 0n) > 0n) return undefined;
      return db
        .selectFrom("idempotency_keys")
        .selectAll()
        .where("actor", "=", claim.actor)
        .where("key", "=", claim.key)
        .executeTakeFirst();
    },
    answer: async ({ actor, key }, answer) => {
      await db.updateTable("idempotency_keys").set(answer).where("actor", "=", actor).where("key", "=", key).execute();
    },
    release: async ({ actor, key }) => {
      await db.deleteFrom("idempotency_keys").where("actor", "=", actor).where("key", "=", key).execute();
    },
  };
}
