// Statements compiled once and kept: compiling costs more than most of them take to run.
import type Database from "better-sqlite3";

export interface Prepared {
  of(sql: string): Database.Statement;
  /** After the schema changed: what was compiled before may describe other columns. */
  forget(): void;
}

/** Texts differ by how many values they list; a hub has far fewer than this in use. */
const MOST_KEPT = 500;

export function keepPrepared(sqlite: Database.Database): Prepared {
  const kept = new Map<string, Database.Statement>();
  return {
    of(sql) {
      const known = kept.get(sql);
      if (known) return known;
      if (kept.size >= MOST_KEPT) kept.clear();
      const statement = sqlite.prepare(sql);
      kept.set(sql, statement);
      return statement;
    },
    forget: () => kept.clear(),
  };
}
