// What the janitor asks of the tables that would otherwise only grow, in slices small enough to hold nobody up.
import type { Kysely } from "kysely";
import { CLOSED_DEPLOYMENT_STATES, type OutcomeReport } from "@context-edge/protocol";
import type { Schema } from "./schema.ts";

export interface RetentionRepository {
  /** Ids in order, after that one. */
  deviceIds(after: string, limit: number): Promise<string[]>;
  /**
   * Deletes outcomes of one device: those older than `before`, and beyond `most` the oldest whatever their time, because
   * a device's clock may be wrong. The newest `keep` stay, and so does everything of a deployment that is still open.
   */
  pruneOutcomes(device: string, rule: { before: string; keep: number; most: number }): Promise<number>;
  pruneLabels(before: string, limit: number): Promise<number>;
  /** Devices not heard of since then, never told dead so far. */
  silentSince(before: string, limit: number): Promise<{ id: string; last_seen: string }[]>;
  setDead(id: string, since: string | null): Promise<void>;
  /** Swaps, newest first, by the hub's clock: from the history, which knows it. */
  swaps(range: { from: string; to: string; devices?: readonly string[] }, limit: number): Promise<Swap[]>;
}

export interface Swap {
  at: string;
  device: string;
  outcome: OutcomeReport;
}

/** Deleted at once of one device; the rest is for the next round. */
const OUTCOMES_AT_ONCE = 500;
const IDS_PER_QUERY = 500;

export function retentionOn(db: Kysely<Schema>): RetentionRepository {
  return {
    deviceIds: async (after, limit) => {
      const query = db.selectFrom("devices").select("id").where("id", ">", after).orderBy("id").limit(limit);
      return (await query.execute()).map(({ id }) => id);
    },
    pruneOutcomes: async (device, { before, keep, most }) => {
      const beyond = await db
        .selectFrom("outcomes")
        .leftJoin("deployments", "deployments.id", "outcomes.deployment_id")
        .select(["outcomes.id", "outcomes.at", "deployments.state"])
        .where("device_id", "=", device)
        .orderBy("outcomes.id", "desc")
        .offset(keep)
        .limit(most + OUTCOMES_AT_ONCE)
        .execute();
      const closed: readonly string[] = CLOSED_DEPLOYMENT_STATES;
      const ids = beyond
        .filter(({ at }, index) => at < before || index + keep >= most)
        .filter(({ state }) => state === null || closed.includes(state))
        .map(({ id }) => id)
        .slice(-OUTCOMES_AT_ONCE);
      if (ids.length > 0)
        await db.deleteFrom("outcomes").where("device_id", "=", device).where("id", "in", ids).execute();
      return ids.length;
    },
    pruneLabels: async (before, limit) => {
      const old = await db
        .selectFrom("labels")
        .select(["model", "version", "prediction_id"])
        .where("at", "<", before)
        .orderBy("at")
        .limit(limit)
        .execute();
      for (const { model, version, prediction_id } of old) {
        await db
          .deleteFrom("labels")
          .where("model", "=", model)
          .where("version", "=", version)
          .where("prediction_id", "=", prediction_id)
          .execute();
      }
      return old.length;
    },
    silentSince: async (before, limit) => {
      const rows = await db
        .selectFrom("devices")
        .leftJoin("sightings", "sightings.device_id", "devices.id")
        .select(["id", "sightings.at as last_seen", "enrolled_at"])
        .where("dead_since", "is", null)
        .where("revoked", "=", 0)
        .where((eb) => eb.fn.coalesce("sightings.at", "enrolled_at"), "<", before)
        .limit(limit)
        .execute();
      return rows.map(({ id, last_seen, enrolled_at }) => ({ id, last_seen: last_seen ?? enrolled_at }));
    },
    setDead: async (id, dead_since) => {
      await db.updateTable("devices").set({ dead_since }).where("id", "=", id).execute();
    },
    swaps: async ({ from, to, devices }, limit) => {
      const query = db
        .selectFrom("events")
        .select(["at", "subject", "data"])
        .where("at", ">=", from)
        .where("at", "<", to)
        .where("kind", "in", ["device.committed", "device.rolled-back"]);
      const rows =
        devices === undefined
          ? await query.orderBy("id", "desc").limit(limit).execute()
          : (
              await Promise.all(
                slicesOf(devices, IDS_PER_QUERY).map((ids) =>
                  query.where("subject", "in", ids).orderBy("id", "desc").limit(limit).execute(),
                ),
              )
            ).flat();
      return rows.flatMap(({ at, subject, data }) => {
        const { outcome } = JSON.parse(data) as { outcome?: OutcomeReport };
        return outcome ? [{ at, device: subject, outcome }] : [];
      });
    },
  };
}

function slicesOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
