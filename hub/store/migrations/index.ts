// Every migration by name, in order: forward only, the same on both databases. A new one gets the number after the last.
import type { Migration } from "kysely/migration";
import { first } from "./0001-first.ts";
import { hold } from "./0002-hold.ts";
import { auditChain } from "./0003-audit-chain.ts";
import { deployments } from "./0004-deployments.ts";
import { people } from "./0005-people.ts";
import { webhooks } from "./0006-webhooks.ts";
import { series } from "./0007-series.ts";
import { idempotency } from "./0009-idempotency.ts";
import { evidence } from "./0010-evidence.ts";
import { sessionPlaces } from "./0011-session-places.ts";
import { files } from "./0012-files.ts";
import { writtenOnce } from "./0013-written-once.ts";

export const MIGRATIONS: Record<string, Migration> = {
  "0001-first": first,
  "0002-hold": hold,
  "0003-audit-chain": auditChain,
  "0004-deployments": deployments,
  "0005-people": people,
  "0006-webhooks": webhooks,
  "0007-series": series,
  // 0008 was never used and never may be: databases that have 0009 would refuse it (index.test.ts).
  "0009-idempotency": idempotency,
  "0010-evidence": evidence,
  "0011-session-places": sessionPlaces,
  "0012-files": files,
  "0013-written-once": writtenOnce,
};
