// Probes by running a program: its exit code says healthy or not, and a JSON line on stdout may carry the figures.
import type { Measurement } from "@context-edge/protocol";
import { z } from "zod";
import { runCommand } from "../run-command.ts";
import type { Probe } from "./probe.ts";
import { conditions, tagsOf } from "./tags.ts";

/** Last line of stdout. Every field may be missing. */
const Said = z.object({
  digest: z.string().optional(),
  samples: z.number().int().min(0).default(0),
  errors: z.number().int().min(0).default(0),
  mean_ms: z.number().nullable().default(null),
  p50_ms: z.number().nullable().default(null),
  p95_ms: z.number().nullable().default(null),
  max_ms: z.number().nullable().default(null),
});

const LOOK_DEADLINE_MS = 30_000;

/** The program is called with `CONTEXT_EDGE_PROBE` = `look`, `measure` or `soak`. */
export function commandProbe(argv: readonly string[]): Probe {
  const run = async (what: "look" | "measure" | "soak", deadlineMs: number, signal: AbortSignal) => {
    const end = await runCommand(argv, { deadlineMs, environment: { CONTEXT_EDGE_PROBE: what }, signal });
    signal.throwIfAborted();
    return { healthy: end.exitCode === 0, said: parseLastLine(end.stdout), words: end.stderr.slice(-1_000) };
  };
  return {
    async look(signal) {
      const { healthy, said, words } = await run("look", LOOK_DEADLINE_MS, signal);
      return { ready: healthy, digest: said?.digest ?? null, detail: healthy ? "" : words };
    },
    checkGolden: () => Promise.resolve(null),
    async measure({ policy }, signal) {
      const deadlineMs = policy.warmup_ms + policy.window_ms + LOOK_DEADLINE_MS;
      const before = await conditions();
      const { healthy, said } = await run("measure", deadlineMs, signal);
      const at = new Date().toISOString();
      const tags = tagsOf(before, await conditions());
      if (!healthy) return { ...UNHEALTHY, at, tags };
      if (!said || said.samples === 0) return null;
      const { digest: _digest, ...figures } = said;
      return { ...figures, at, tags } satisfies Measurement;
    },
    isAnswering: async (_probing, signal) => (await run("soak", LOOK_DEADLINE_MS, signal)).healthy,
    counters: () => Promise.resolve(null),
    ownRequests: () => 0,
    setOwnRequests: () => undefined,
  };
}

/** A failed measurement is one request that failed: an error share of 1, whatever the limit. */
const UNHEALTHY = { samples: 1, errors: 1, mean_ms: null, p50_ms: null, p95_ms: null, max_ms: null };

function parseLastLine(stdout: string): z.infer<typeof Said> | null {
  try {
    const parsed = Said.safeParse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
