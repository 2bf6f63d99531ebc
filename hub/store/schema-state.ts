// Which release a database's schema belongs to: read without changing anything, so that a command can say so instead of migrating.
import { type Kysely, sql } from "kysely";
import { type Migration, DEFAULT_MIGRATION_TABLE } from "kysely/migration";
import { MIGRATIONS } from "./migrations/index.ts";
import { StoreRefusal } from "./refusal.ts";

export type SchemaState =
  | { kind: "none" }
  | { kind: "current"; newest: string }
  /** @param due migrations that this release would do */
  | { kind: "older"; newest: string; due: string[] }
  /** @param unknown migrations that were done and that this release has not heard of */
  | { kind: "newer"; unknown: string[] };

export async function schemaOf<DB>(
  db: Kysely<DB>,
  migrations: Record<string, Migration> = MIGRATIONS,
): Promise<SchemaState> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return { kind: "none" };
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  const done = new Set(rows.map(({ name }) => name));
  const newest = rows.at(-1)?.name;
  if (newest === undefined) return { kind: "none" };
  const unknown = [...done].filter((name) => !(name in migrations));
  if (unknown.length > 0) return { kind: "newer", unknown };
  const due = Object.keys(migrations).filter((name) => !done.has(name));
  return due.length === 0 ? { kind: "current", newest } : { kind: "older", newest, due };
}

export const newerRelease = (unknown: readonly string[]) =>
  new StoreRefusal(
    "SCHEMA_NEWER",
    `The database is of a newer release than this one, which does not know its ${unknown.join(", ")}.`,
    "Use that release, or restore a backup that was made before the upgrade (docs/scaling.md).",
  );

export const olderRelease = (due: readonly string[]) =>
  new StoreRefusal(
    "SCHEMA_OLDER",
    `The database is of an older release than this one: it lacks ${due.join(", ")}. A command does not migrate it, because there is no way back but a backup.`,
    "Make a backup, then start this release's hub or run `hub migrate`.",
  );
