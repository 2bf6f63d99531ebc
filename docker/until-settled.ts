// Waits until the agent swaps, proves or undoes nothing: what Kubernetes runs before it ends the pod. `node until-settled.ts SECONDS`
// A courtesy, not a need: an agent that is killed in mid-swap goes on from its journal, at the price of a second attempt.
const { AGENT_STATUS_HOST = "127.0.0.1", AGENT_STATUS_PORT = "9090" } = process.env;
/** What touches the running model; a download is resumed, and may take hours. */
const UNDER_WAY = new Set(["activating", "probing", "soaking", "rolling-back"]);
const LOOK_EVERY_MS = 500;

const seconds = Number(process.argv[2] ?? 60);
const deadline = performance.now() + seconds * 1_000;
const host = AGENT_STATUS_HOST === "0.0.0.0" || AGENT_STATUS_HOST === "::" ? "127.0.0.1" : AGENT_STATUS_HOST;

let phase = await phaseNow();
while (phase !== null && UNDER_WAY.has(phase) && performance.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  phase = await phaseNow();
}

/** @returns null when nobody answers: then there is nothing to wait for. */
async function phaseNow(): Promise<string | null> {
  if (AGENT_STATUS_PORT === "0") return null;
  try {
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${AGENT_STATUS_PORT}/status.json`;
    const reply = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return ((await reply.json()) as { phase?: string }).phase ?? null;
  } catch {
    return null;
  }
}
