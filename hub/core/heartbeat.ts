// Which part of a device's state only drifts from heartbeat to heartbeat, and which part is news.
import type { Observed, ObservedModel, Phase } from "@context-edge/protocol";

type Attempt = NonNullable<ObservedModel["attempt"]>;

/** On the way of an attempt that goes well. Anything else says that it does not, or that none is under way. */
const ON_THE_WAY: ReadonlySet<Phase> = new Set(["downloading", "verifying", "activating", "probing", "soaking"]);

/**
 * The state without what moves by itself: time, sensors, counters, bytes fetched, seconds of a build, the step that an attempt
 * has come to. Equal before and after: a mere heartbeat.
 */
export function steadyPart(observed: Observed): unknown {
  const models = Object.entries(observed.models).map(([name, model]) => {
    const { attempt, stats } = model;
    const steady = {
      ...model,
      attempt: attempt && steadyAttempt(attempt),
      stats: stats && { since: stats.since, digest: stats.digest },
    };
    return [name, steady];
  });
  const phase = ON_THE_WAY.has(observed.phase) ? "on the way" : observed.phase;
  return { ...observed, phase, at: null, telemetry: observed.telemetry !== null, models };
}

function steadyAttempt(attempt: Attempt): unknown {
  const steady = { ...attempt, download: attempt.download !== null, build: attempt.build?.stage };
  return ON_THE_WAY.has(attempt.phase) ? { ...steady, phase: "on the way", steps: null, download: null } : steady;
}

/** How far the attempts have come: told again with every report until they end, so that a restart learns of it within a minute. */
export function stepsOf(observed: Observed): string {
  const models = Object.entries(observed.models).map(([name, { attempt }]) => [
    name,
    attempt && [attempt.phase, attempt.steps, attempt.download !== null],
  ]);
  return JSON.stringify([observed.phase, models]);
}

/** Errors are counters too, but a gate decides on them: whoever restarts the hub must not forget many. */
export function errorsOf(observed: Observed): number {
  return Object.values(observed.models).reduce((sum, { stats }) => sum + (stats?.errors ?? 0), 0);
}
