// Deployments with a plan of steps, and fleet-wide quarantine. Deployments of before had one step.
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

interface OldDeployment {
  id: string;
  kind: string;
  groups: string;
  share: number;
}

/** The gate as it was then, written out: what a hub of today thinks of gates must not change the past. */
const GATE_OF_BEFORE = {
  soak_seconds: 86_400,
  min_committed_share: 1,
  max_error_share: 0.01,
  max_p95_ratio: 1.25,
  p95_floor_ms: 2,
  min_labels: 30,
  max_accuracy_drop: 0.02,
  max_false_positive_rate: null,
  max_false_negative_rate: null,
  require_labels: false,
};

export const deployments: Migration = {
  async up(db: Kysely<unknown>) {
    const text = ["plan", "shares", "expected", "timed_out"];
    for (const column of text) {
      await db.schema
        .alterTable("deployments")
        .addColumn(column, "text", (c) => c.notNull().defaultTo("{}"))
        .execute();
    }
    await db.schema
      .alterTable("deployments")
      .addColumn("step", "integer", (c) => c.notNull().defaultTo(0))
      .execute();

    const { rows } = await sql<OldDeployment>`select id, kind, groups, share from deployments`.execute(db);
    for (const { id, kind, groups, share } of rows) {
      const names = JSON.parse(groups) as string[];
      const plan = JSON.stringify({
        steps: [{ groups: names, size: { share } }],
        gate: kind === "pilot" ? GATE_OF_BEFORE : null,
        max_bad: { count: 0 },
        promote: "by-hand",
        on_fail: "halt",
        start_at: null,
        deadlines: {},
      });
      const shares = JSON.stringify(Object.fromEntries(names.map((name) => [name, share])));
      await sql`update deployments set plan = ${plan}, shares = ${shares} where id = ${id}`.execute(db);
    }
    await db.schema.alterTable("deployments").dropColumn("share").execute();

    await db.schema
      .createTable("quarantines")
      .addColumn("digest", "text", (c) => c.primaryKey())
      .addColumn("model", "text", (c) => c.notNull())
      .addColumn("version", "text", (c) => c.notNull())
      .addColumn("reason", "text", (c) => c.notNull())
      .addColumn("counted", "text", (c) => c.notNull())
      .addColumn("stage_before", "text", (c) => c.notNull())
      .addColumn("by_whom", "text", (c) => c.notNull())
      .addColumn("at", "text", (c) => c.notNull())
      .addColumn("lifted_by", "text")
      .addColumn("lifted_at", "text")
      .addColumn("lift_reason", "text")
      .execute();
  },
};
