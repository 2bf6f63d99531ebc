// What happens to a fleet, in the log as well: deployments, gates and quarantines, once each, though every hub hears of them.
import type { Event } from "@context-edge/protocol";
import type { Logger } from "pino";
import type { Changes } from "../changes.ts";

const TOLD = /^(deployment|gate|quarantine)\./;
/** Somebody should look. What a person did on purpose is no warning. */
const ALARMING = new Set(["gate.failed", "gate.overridden", "quarantine.added"]);
const HALTS = new Set(["deployment.paused", "deployment.rolling-back", "deployment.aborted"]);
const CONDUCTOR = "conductor";

export function logEvents(
  { changes, isLeader }: { changes: Pick<Changes, "listen">; isLeader: () => boolean },
  log: Pick<Logger, "info" | "warn">,
): void {
  changes.listen((notice) => {
    if (notice.kind !== "event" || !TOLD.test(notice.event.kind) || !isLeader()) return;
    const { id, kind, actor, subject, summary } = notice.event;
    const facts = { event: id, kind, actor, subject };
    if (isAlarming(notice.event)) log.warn(facts, summary);
    else log.info(facts, summary);
  });
}

const isAlarming = ({ kind, actor }: Event) => ALARMING.has(kind) || (HALTS.has(kind) && actor === CONDUCTOR);
