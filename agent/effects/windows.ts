// Maintenance windows as cron patterns: a window is open in every minute its pattern matches.
import type { Windows } from "../core/permit.ts";
import { AgentError, describe } from "../errors.ts";

const MINUTE_MS = 60_000;
/** A window further away than this is told as "not in sight". */
const LOOK_AHEAD_MINUTES = 8 * 24 * 60;

/**
 * @param patterns such as `* 22-5 * * 1-5`: from 22:00 to 05:59 on weekdays
 * @returns null without patterns: always open
 * @throws AgentError `CONFIG`
 */
export async function openWindows(patterns: readonly string[], timeZone: string): Promise<Windows | null> {
  if (patterns.length === 0) return null;
  // Only where windows are used: an idle agent stays small.
  const { createTask, validate } = await import("node-cron");
  const tasks = patterns.map((pattern) => {
    if (!validate(pattern)) throw misconfigured("AGENT_WINDOWS", `"${pattern}" is no cron pattern`);
    try {
      const task = createTask(pattern, () => undefined, { timezone: timeZone });
      task.match(new Date(0));
      return task;
    } catch (error) {
      throw misconfigured("AGENT_TIME_ZONE", describe(error));
    }
  });
  // A pattern with seconds would otherwise be open for one second only.
  const isOpen = (now: number) => tasks.some((task) => task.match(new Date(now - (now % MINUTE_MS))));
  let found: { from: number; at: number | null } | null = null;

  return {
    isOpen,
    opensAt(now) {
      const minute = now - (now % MINUTE_MS);
      // Looking ahead minute by minute takes a while; what was found holds until it is reached.
      const isStillAhead = found !== null && found.from <= minute && (found.at === null || found.at > minute);
      if (found && isStillAhead && minute - found.from < 60 * MINUTE_MS) return found.at;
      let at: number | null = null;
      for (let ahead = 1; ahead <= LOOK_AHEAD_MINUTES && at === null; ahead += 1) {
        if (isOpen(minute + ahead * MINUTE_MS)) at = minute + ahead * MINUTE_MS;
      }
      found = { from: minute, at };
      return at;
    },
  };
}

function misconfigured(variable: string, problem: string): AgentError {
  return new AgentError("CONFIG", `${variable}: ${problem}`, "For example: AGENT_WINDOWS='* 22-5 * * *'.");
}
