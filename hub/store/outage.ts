// Errors that say nothing about the request: the database is away or busy, or its disk is full. The same request may succeed later.
export type Outage = "away" | "full";

const FULL = new Set(["SQLITE_FULL", "ENOSPC", "EDQUOT", "53100"]);
const AWAY = [
  /^SQLITE_(BUSY|LOCKED|IOERR|READONLY|CANTOPEN)/,
  // PostgreSQL's classes: connection, resources, shut down or starting, waited too long, undone for another's sake, read-only standby.
  /^(08...|53...|57P0.|57014|55P03|40001|40P01|25P0[34]|25006|3D000)$/,
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/,
];
/** The pg driver has no codes for these. */
const WORDS =
  /^(Connection terminated|timeout (exceeded|expired)|Query read timeout|Client (has encountered|was closed)|The connection is unusable)/i;

/** @returns null for every other error. */
export function outageOf(error: unknown): Outage | null {
  if (!(error instanceof Error)) return null;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (FULL.has(code)) return "full";
  if (AWAY.some((pattern) => pattern.test(code))) return "away";
  return code === "" && WORDS.test(error.message) ? "away" : null;
}
