// Which part of a device's state only drifts from heartbeat to heartbeat, and which part is news.
import type { Observed } from "@context-edge/protocol";

/** The state without what moves by itself: time, sensors, counters, bytes fetched, seconds of a build. Equal before and after: a mere heartbeat. */
export function steadyPart(observed: Observed): unknown {
  const models = Object.entries(observed.models).map(([name, model]) => {
    const { attempt, stats } = model;
    return [
      name,
      {
        ...model,
        attempt: attempt && { ...attempt, download: attempt.download !== null, build: attempt.build?.stage },
        stats: stats && { since: stats.since, digest: stats.digest },
      },
    ];
  });
  return { ...observed, at: null, telemetry: observed.telemetry !== null, models };
}

/** Errors are counters too, but a gate decides on them: whoever restarts the hub must not forget many. */
export function errorsOf(observed: Observed): number {
  return Object.values(observed.models).reduce((sum, { stats }) => sum + (stats?.errors ?? 0), 0);
}
