// Deployments remember how long each device was watched and waited for; groups, what devices outside a wave run; and devices' words about bytes stand by themselves.
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

interface OldOutcome {
  device_id: string;
  report: string;
}
interface OldReport {
  digest: string;
  outcome: string;
  code: string;
  message: string;
  at: string;
}
type OldQuarantine = { digest: string; model: string; version: string; stage_before: string };

/** As it was judged until then, written out. */
const NOT_THE_FILES_FAULT = [
  "INCONCLUSIVE",
  "INTERRUPTED",
  "POWER_MODE_CHANGED",
  "RELOADER_UNREACHABLE",
  "ROLLED_BACK_BY_HAND",
  "SLOT_CHANGED",
  "SLOT_FOREIGN",
  "THROTTLED",
  "TOO_FEW_SAMPLES",
  "WITHDRAWN",
];

export const evidence: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ["step_since", "halted_by"])
      await db.schema.alterTable("deployments").addColumn(column, "text").execute();
    for (const column of ["watched", "stays"]) {
      await db.schema
        .alterTable("deployments")
        .addColumn(column, "text", (c) => c.notNull().defaultTo("{}"))
        .execute();
    }
    await sql`update deployments set step_since = created_at`.execute(db);
    const plans = await sql<{ id: string; plan: string }>`select id, plan from deployments`.execute(db);
    for (const { id, plan } of plans.rows) {
      const watched = JSON.stringify({ ...(JSON.parse(plan) as object), watch_last: false });
      await sql`update deployments set plan = ${watched} where id = ${id}`.execute(db);
    }

    await db.schema.alterTable("targets").addColumn("outside_version", "text").execute();
    await sql`update targets set outside_version = previous_version`.execute(db);

    await db.schema
      .alterTable("quarantines")
      .addColumn("stages_before", "text", (c) => c.notNull().defaultTo("{}"))
      .execute();
    const { rows } = await sql<OldQuarantine>`select digest, model, version, stage_before from quarantines`.execute(db);
    for (const { digest, model, version, stage_before } of rows) {
      const stages = JSON.stringify({ [`${model}/${version}`]: stage_before });
      await sql`update quarantines set stages_before = ${stages} where digest = ${digest}`.execute(db);
    }
    await db.schema.alterTable("quarantines").dropColumn("stage_before").execute();

    await db.schema
      .createTable("testimonies")
      .addColumn("digest", "text", (c) => c.notNull())
      .addColumn("device_id", "text", (c) => c.notNull())
      .addColumn("at", "text", (c) => c.notNull())
      .addColumn("against", "integer", (c) => c.notNull())
      .addColumn("code", "text", (c) => c.notNull())
      .addColumn("message", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("testimonies_key", ["digest", "device_id"])
      .execute();
    await sql`create index testimonies_against on testimonies (digest) where against = 1`.execute(db);
    const outcomes = await sql<OldOutcome>`select device_id, report from outcomes order by id`.execute(db);
    const newest = new Map(
      outcomes.rows.map(({ device_id, report }) => {
        const said = JSON.parse(report) as OldReport;
        return [`${said.digest}/${device_id}`, { device_id, ...said }];
      }),
    );
    for (const { digest, device_id, at, outcome, code, message } of newest.values()) {
      const against = outcome === "rolled-back" && !NOT_THE_FILES_FAULT.includes(code) ? 1 : 0;
      await sql`insert into testimonies (digest, device_id, at, against, code, message)
        values (${digest}, ${device_id}, ${at}, ${against}, ${code}, ${message})`.execute(db);
    }
  },
};
