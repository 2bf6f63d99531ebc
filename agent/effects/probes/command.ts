// Probes by running a program: its exit code says healthy or not, and a JSON line on stdout may carry a verdict and figures.
import type { Measurement } from "@context-edge/protocol";
import { z } from "zod";
import { runCommand } from "../run-command.ts";
import type { Probe } from "./probe.ts";
import { conditions, tagsOf } from "./tags.ts";

const Milliseconds = z.number().min(0).nullable().default(null);

/** Last line of stdout. Every field may be missing. */
const Said = z
  .object({
    /** `false` is a no even when the program ends with 0. */
    healthy: z.boolean().default(true),
    /** Why, in the program's words. */
    message: z.string().default(""),
    /** sha256 of the file the service has loaded. */
    digest: z.string().optional(),
    samples: z.number().int().min(0).default(0),
    errors: z.number().int().min(0).default(0),
    mean_ms: Milliseconds,
    p50_ms: Milliseconds,
    p95_ms: Milliseconds,
    max_ms: Milliseconds,
  })
  .refine(({ samples, errors }) => errors <= samples);
type Said = z.infer<typeof Said>;
type What = "look" | "measure" | "soak";

export interface CommandProbeSettings {
  argv: readonly string[];
  /** Absolute path of the slot link. */
  link: string;
  /** For one look; the measurement gets its own time on top. */
  lookDeadlineMs?: number;
}

/**
 * The program gets `CONTEXT_EDGE_PROBE` (`look`, `measure` or `soak`), `CONTEXT_EDGE_LINK`, `CONTEXT_EDGE_DEADLINE_MS` and,
 * when it measures, `CONTEXT_EDGE_SAMPLES`, `CONTEXT_EDGE_WARMUP_REQUESTS` and `CONTEXT_EDGE_PACE_MS` in its environment.
 */
export function commandProbe({ argv, link, lookDeadlineMs = 30_000 }: CommandProbeSettings): Probe {
  const run = async (what: What, deadlineMs: number, more: Record<string, string>, signal: AbortSignal) => {
    const environment = {
      CONTEXT_EDGE_PROBE: what,
      CONTEXT_EDGE_LINK: link,
      CONTEXT_EDGE_DEADLINE_MS: String(deadlineMs),
      ...more,
    };
    const end = await runCommand(argv, { deadlineMs, environment, signal });
    signal.throwIfAborted();
    const said = parseLastLine(end.stdout);
    const words = said?.message || end.stderr.slice(-1_000).trim();
    const isLate = end.exitCode === null && words === "";
    return {
      healthy: end.exitCode === 0 && said?.healthy !== false,
      said,
      words: isLate ? `the probe's program did not end within ${Math.round(deadlineMs / 1_000)} s` : words,
    };
  };
  return {
    async look(signal) {
      const { healthy, said, words } = await run("look", lookDeadlineMs, {}, signal);
      return { ready: healthy, digest: said?.digest ?? null, detail: healthy ? "" : words };
    },
    checkGolden: () => Promise.resolve(null),
    async measure({ policy }, signal) {
      const deadlineMs = policy.warmup_ms + policy.window_ms + lookDeadlineMs;
      const before = await conditions();
      const wanted = {
        CONTEXT_EDGE_SAMPLES: String(policy.samples),
        CONTEXT_EDGE_WARMUP_REQUESTS: String(policy.warmup_requests),
        CONTEXT_EDGE_PACE_MS: String(policy.pace_ms),
      };
      const { healthy, said } = await run("measure", deadlineMs, wanted, signal);
      const at = new Date().toISOString();
      const tags = tagsOf(before, await conditions());
      if (!healthy) return { ...UNHEALTHY, at, tags };
      return said && said.samples > 0 ? { ...figuresOf(said), at, tags } : null;
    },
    isAnswering: async (_probing, signal) => (await run("soak", lookDeadlineMs, {}, signal)).healthy,
    counters: () => Promise.resolve(null),
    ownRequests: () => 0,
    setOwnRequests: () => undefined,
  };
}

/** A failed measurement is one request that failed: an error share of 1, whatever the limit. */
const UNHEALTHY = { samples: 1, errors: 1, mean_ms: null, p50_ms: null, p95_ms: null, max_ms: null };

function figuresOf({ samples, errors, mean_ms, p50_ms, p95_ms, max_ms }: Said): Omit<Measurement, "at" | "tags"> {
  return { samples, errors, mean_ms, p50_ms, p95_ms, max_ms };
}

function parseLastLine(stdout: string): Said | null {
  try {
    const parsed = Said.safeParse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
