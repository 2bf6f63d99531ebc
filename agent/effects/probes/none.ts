// For services nobody may ask: the reload's own verdict is all there is, and the evidence says so.
import type { Probe } from "./probe.ts";

export function noProbe(): Probe {
  const look = {
    ready: true,
    digest: null,
    detail: "no probe is configured (AGENT_PROBE=none); health was not checked",
  };
  return {
    look: () => Promise.resolve(look),
    checkGolden: () => Promise.resolve(null),
    measure: () => Promise.resolve(null),
    isAnswering: () => Promise.resolve(true),
    counters: () => Promise.resolve(null),
    ownRequests: () => 0,
    setOwnRequests: () => undefined,
  };
}
