// What all downloads of a device share: the way out, one bandwidth cap, and the floor below which a link counts as dead.
import { type Pace, pace } from "./download-pace.ts";
import type { Floor } from "./download-watch.ts";

export interface DownloadLine {
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  environment: NodeJS.ProcessEnv;
  pace: Pace;
  floor: Floor;
  /** How much may wait between socket and disk. */
  queueBytes: number;
  /** From asking for a connection to the head of the answer. */
  answerWithinMs: number;
}

export interface LineSettings {
  environment: NodeJS.ProcessEnv;
  /** AGENT_MAX_DOWNLOAD_RATE, for the device as a whole. */
  maxBytesPerS?: number | undefined;
  /** AGENT_MIN_DOWNLOAD_RATE, over a minute. */
  minBytesPerS: number;
}

const QUEUE_BYTES = 1024 * 1024;
const LEAST_QUEUE_BYTES = 16 * 1024;
const WINDOW_MS = 60_000;
const ANSWER_WITHIN_MS = 30_000;

/** Made once at the start, for every model's downloads together. */
export function downloadLine({ environment, maxBytesPerS, minBytesPerS }: LineSettings): DownloadLine {
  const cap = maxBytesPerS ?? Infinity;
  return {
    environment,
    pace: pace(maxBytesPerS ?? null),
    // A cap below the floor must not make every link look dead.
    floor: { bytesPerS: Math.min(minBytesPerS, cap / 2), windowMs: WINDOW_MS },
    // A quarter of a second of the cap: the sender feels it soon, and the disk sees no bursts.
    queueBytes: Math.max(LEAST_QUEUE_BYTES, Math.min(QUEUE_BYTES, Math.floor(cap / 4))),
    answerWithinMs: ANSWER_WITHIN_MS,
  };
}
