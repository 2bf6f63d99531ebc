// What the database knows of files: when each was last uploaded, and which are being removed at this moment.
import type { Kysely } from "kysely";
import type { Digest } from "@context-edge/protocol";
import type { Schema } from "./schema.ts";

export interface Condemned {
  digest: Digest;
  size_bytes: number;
  /** What it was: `v1, archived`. */
  why: string;
}

export interface FileRepository {
  noteUpload(digest: Digest, at: string): Promise<void>;
  uploadedAt(digest: Digest): Promise<string | null>;
  /** What was uploaded before then says nothing any more. */
  forgetUploads(before: string): Promise<void>;
  condemn(file: Condemned): Promise<void>;
  condemned(): Promise<Condemned[]>;
  isCondemned(digest: Digest): Promise<boolean>;
  /** It is gone. */
  strike(digest: Digest): Promise<void>;
}

export function filesOn(db: Kysely<Schema>): { files: FileRepository } {
  return {
    files: {
      noteUpload: async (digest, at) => {
        await db
          .insertInto("uploads")
          .values({ digest, at })
          .onConflict((conflict) => conflict.column("digest").doUpdateSet({ at }))
          .execute();
      },
      uploadedAt: async (digest) =>
        (await db.selectFrom("uploads").select("at").where("digest", "=", digest).executeTakeFirst())?.at ?? null,
      forgetUploads: async (before) => {
        await db.deleteFrom("uploads").where("at", "<", before).execute();
      },
      condemn: async (file) => {
        await db
          .insertInto("condemned")
          .values(file)
          .onConflict((conflict) => conflict.column("digest").doNothing())
          .execute();
      },
      condemned: () => db.selectFrom("condemned").selectAll().orderBy("digest").execute(),
      isCondemned: async (digest) =>
        (await db.selectFrom("condemned").select("digest").where("digest", "=", digest).executeTakeFirst()) !==
        undefined,
      strike: async (digest) => {
        await db.deleteFrom("condemned").where("digest", "=", digest).execute();
      },
    },
  };
}
