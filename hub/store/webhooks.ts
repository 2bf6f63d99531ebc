// Webhooks and their deliveries, absences that were told, and named marks: what telling people has to remember.
import type { Kysely, Selectable } from "kysely";
import type { DeliveryState, WebhookFormat, WebhookKind } from "@context-edge/protocol";
import type { Schema } from "./schema.ts";

export interface WebhookRecord {
  id: string;
  url: string;
  secret: string;
  kinds: WebhookKind[];
  format: WebhookFormat;
  enabled: boolean;
  offline_after_seconds: number | null;
  created_by: string;
  created_at: string;
}

export interface DeliveryRecord {
  webhook_id: string;
  number: number;
  message_id: string;
  kind: WebhookKind;
  body: string;
  state: DeliveryState;
  /** Refused for its own sake: it is tried again beside the others instead of holding them up. */
  aside: boolean;
  tries: number;
  created_at: string;
  next_at: string | null;
  last_at: string | null;
  last_status: number | null;
  last_error: string | null;
}

export interface WebhookRepositories {
  webhooks: {
    list(): Promise<WebhookRecord[]>;
    find(id: string): Promise<WebhookRecord | undefined>;
    put(webhook: WebhookRecord): Promise<void>;
    remove(id: string): Promise<void>;
  };
  deliveries: {
    /** Numbered by itself, in order; a message that is there already is left alone. @returns whether it was new. */
    insert(
      delivery: Pick<DeliveryRecord, "webhook_id" | "message_id" | "kind" | "body" | "created_at">,
    ): Promise<boolean>;
    /** The next one in line, and those set aside whose time has come. */
    next(webhookId: string, at: string): Promise<DeliveryRecord[]>;
    find(webhookId: string, number: number): Promise<DeliveryRecord | undefined>;
    /** Newest first. */
    list(webhookId: string, limit: number, before?: number): Promise<DeliveryRecord[]>;
    update(
      webhookId: string,
      number: number,
      change: Partial<Omit<DeliveryRecord, "webhook_id" | "number" | "message_id" | "kind" | "body" | "created_at">>,
    ): Promise<void>;
    counts(): Promise<{ webhook_id: string; state: DeliveryState; count: number }[]>;
    /** Forgets what ended before. */
    prune(before: string): Promise<void>;
  };
  absences: {
    list(): Promise<{ device_id: string; limit_seconds: number; since: string }[]>;
    put(absence: { device_id: string; limit_seconds: number; since: string }): Promise<void>;
    remove(deviceId: string): Promise<void>;
  };
  marks: {
    read(name: string): Promise<string | undefined>;
    write(name: string, value: string): Promise<void>;
  };
}

const toWebhook = ({ kinds, enabled, format, ...row }: Selectable<Schema["webhooks"]>): WebhookRecord => ({
  ...row,
  kinds: JSON.parse(kinds) as WebhookKind[],
  enabled: enabled !== 0,
  format: format as WebhookFormat,
});
const toDelivery = ({ aside, kind, state, ...row }: Selectable<Schema["webhook_deliveries"]>): DeliveryRecord => ({
  ...row,
  aside: aside !== 0,
  kind: kind as WebhookKind,
  state: state as DeliveryState,
});

export function webhooksOn(db: Kysely<Schema>): WebhookRepositories {
  return {
    webhooks: {
      list: async () => (await db.selectFrom("webhooks").selectAll().orderBy("id").execute()).map(toWebhook),
      find: async (id) => {
        const row = await db.selectFrom("webhooks").selectAll().where("id", "=", id).executeTakeFirst();
        return row && toWebhook(row);
      },
      put: async ({ kinds, enabled, ...webhook }) => {
        const row = { ...webhook, kinds: JSON.stringify(kinds), enabled: enabled ? 1 : 0 };
        await db
          .insertInto("webhooks")
          .values(row)
          .onConflict((c) => c.column("id").doUpdateSet(row))
          .execute();
      },
      remove: async (id) => {
        await db.deleteFrom("webhook_deliveries").where("webhook_id", "=", id).execute();
        await db.deleteFrom("webhooks").where("id", "=", id).execute();
      },
    },
    deliveries: deliveriesOn(db),
    absences: {
      list: () => db.selectFrom("absences").selectAll().execute(),
      put: async (absence) => {
        await db
          .insertInto("absences")
          .values(absence)
          .onConflict((c) => c.columns(["device_id", "limit_seconds"]).doUpdateSet(absence))
          .execute();
      },
      remove: async (id) => {
        await db.deleteFrom("absences").where("device_id", "=", id).execute();
      },
    },
    marks: {
      read: async (name) =>
        (await db.selectFrom("marks").select("value").where("name", "=", name).executeTakeFirst())?.value,
      write: async (name, value) => {
        await db
          .insertInto("marks")
          .values({ name, value })
          .onConflict((c) => c.column("name").doUpdateSet({ value }))
          .execute();
      },
    },
  };
}

function deliveriesOn(db: Kysely<Schema>): WebhookRepositories["deliveries"] {
  const of = (webhookId: string) => db.selectFrom("webhook_deliveries").selectAll().where("webhook_id", "=", webhookId);
  return {
    insert: async (delivery) => {
      const row = await db
        .selectFrom("webhook_deliveries")
        .select((eb) => eb.fn.max<number | string | null>("number").as("last"))
        .where("webhook_id", "=", delivery.webhook_id)
        .executeTakeFirst();
      const fresh = { tries: 0, aside: 0, last_at: null, last_status: null, last_error: null };
      const result = await db
        .insertInto("webhook_deliveries")
        .values({
          ...fresh,
          ...delivery,
          number: Number(row?.last ?? 0) + 1,
          state: "pending",
          next_at: delivery.created_at,
        })
        .onConflict((c) => c.columns(["webhook_id", "message_id"]).doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    next: async (webhookId, at) => {
      const pending = of(webhookId).where("state", "=", "pending").orderBy("number");
      const head = await pending.where("aside", "=", 0).limit(1).execute();
      const aside = await pending.where("aside", "=", 1).where("next_at", "<=", at).limit(1).execute();
      return [...head.filter(({ next_at }) => (next_at ?? "") <= at), ...aside].map(toDelivery);
    },
    find: async (webhookId, number) => {
      const row = await of(webhookId).where("number", "=", number).executeTakeFirst();
      return row && toDelivery(row);
    },
    list: async (webhookId, limit, before) => {
      const query = before === undefined ? of(webhookId) : of(webhookId).where("number", "<", before);
      return (await query.orderBy("number", "desc").limit(limit).execute()).map(toDelivery);
    },
    update: async (webhookId, number, { aside, ...change }) => {
      await db
        .updateTable("webhook_deliveries")
        .set({ ...change, ...(aside === undefined ? {} : { aside: aside ? 1 : 0 }) })
        .where("webhook_id", "=", webhookId)
        .where("number", "=", number)
        .execute();
    },
    counts: async () => {
      const rows = await db
        .selectFrom("webhook_deliveries")
        .select(["webhook_id", "state"])
        .select((eb) => eb.fn.countAll<number | string>().as("count"))
        .groupBy(["webhook_id", "state"])
        .execute();
      return rows.map((row) => ({ ...row, state: row.state as DeliveryState, count: Number(row.count) }));
    },
    prune: async (before) => {
      await db
        .deleteFrom("webhook_deliveries")
        .where("state", "!=", "pending")
        .where("created_at", "<", before)
        .execute();
    },
  };
}
