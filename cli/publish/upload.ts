// Sends one file to the hub under its digest; a broken upload goes on where the hub says it ended.
import { createReadStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { RequestError, type Response } from "got";
import { z } from "zod";
import { EXIT, Failure } from "../exits.ts";
import { ANSWER_IN, parseAnswer, reach, unreachable, type HubClient } from "../hub-client.ts";
import type { UploadWatcher } from "../progress-view.ts";
import { sizeWords } from "../quantities.ts";
import type { ReleaseFile } from "./release-file.ts";

/** Attempts in a row that brought nothing; one that got further starts the count anew. */
const FRUITLESS_ATTEMPTS = 5;
const SILENCE_MS = 60_000;
/** Hashing on the hub's disk comes after the last byte. */
const ANSWER_MS = 30 * 60_000;

/** @returns false when the hub had the file already. */
export async function uploadFile(
  hub: HubClient,
  { file, variant }: ReleaseFile,
  watcher: UploadWatcher,
): Promise<boolean> {
  const { digest, size_bytes: total } = variant;
  const path = `mlops/artifacts/${digest}`;
  let known = await statusOf(hub, path);
  if (known.isWhole) return false;
  let start = startOf(known.offset, total);
  watcher.start(total, start);
  try {
    for (let fruitless = 0, hasRestarted = false; ;) {
      const ending = await send(hub, path, { file, start, total, sent: (bytes) => watcher.sent(bytes) });
      if (ending.kind === "taken") return true;
      if (ending.kind === "refused") {
        // The kept part was rotten, or of another file of that name: the hub dropped it, so once more from the start.
        if (ending.failure.more.code !== "DIGEST_MISMATCH" || start === 0 || hasRestarted) throw ending.failure;
        hasRestarted = true;
      }
      known = await offsetAfterBreak(hub, path, ending, fruitless);
      if (known.isWhole) return true;
      const next = startOf(known.offset, total);
      fruitless = next > start ? 0 : fruitless + 1;
      if (fruitless >= FRUITLESS_ATTEMPTS) throw unreachable(hub.url, ending.why);
      if (ending.kind === "broken")
        watcher.note(`The upload broke off (${ending.why}); going on at ${sizeWords(next)}.`);
      start = next;
      watcher.sent(start);
      await delay(250 * 2 ** fruitless);
    }
  } finally {
    watcher.end();
  }
}

type Ending = { kind: "taken" } | { kind: "broken"; why: string } | { kind: "refused"; why: string; failure: Failure };

const UploadReply = z.looseObject({ sha256: z.string() });

async function send(
  hub: HubClient,
  path: string,
  { file, start, total, sent }: { file: string; start: number; total: number; sent: (bytes: number) => void },
): Promise<Ending> {
  let response: Response;
  try {
    const request = hub.wire.put(path, {
      body: createReadStream(file, { start }),
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(total - start),
        "content-range": `bytes ${start}-${total - 1}/${total}`,
      },
      retry: { limit: 0 },
      timeout: { connect: 10_000, socket: SILENCE_MS, response: ANSWER_MS },
    });
    void request.on("uploadProgress", ({ transferred }) => sent(Math.min(start + transferred, total)));
    response = await request;
  } catch (error) {
    if (error instanceof RequestError) return { kind: "broken", why: error.code };
    throw error;
  }
  try {
    parseAnswer(UploadReply, response, hub);
    return { kind: "taken" };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code } = error.more;
    // CONFLICT: another offset than ours; somebody else uploads the same file, or the hub kept less than we believed.
    const isPassing =
      code === "CONFLICT" || code === "HUB_UNREACHABLE" || code === "STORE_UNAVAILABLE" || code === "OVERLOADED";
    return isPassing ? { kind: "broken", why: code } : { kind: "refused", why: code, failure: error };
  }
}

interface Known {
  isWhole: boolean;
  offset: number;
}

async function statusOf(hub: HubClient, path: string): Promise<Known> {
  const response = await reach(hub.url, () => hub.wire.head(path, { timeout: ANSWER_IN }));
  if (response.statusCode === 401 || response.statusCode === 403) {
    throw new Failure(EXIT.notAllowed, "The hub does not let you upload.", {
      code: response.statusCode === 401 ? "UNAUTHENTICATED" : "FORBIDDEN",
      nextStep: "Sign in with a token of scope publisher, engineer or admin: context-edge login URL",
    });
  }
  if (response.statusCode >= 500) throw unreachable(hub.url, `status ${response.statusCode}`);
  const offset = Number(response.headers["upload-offset"] ?? 0);
  return { isWhole: response.statusCode === 200, offset: Number.isSafeInteger(offset) ? offset : 0 };
}

/** The hub may be away for a moment: then the count of attempts decides. */
async function offsetAfterBreak(hub: HubClient, path: string, ending: Ending, fruitless: number): Promise<Known> {
  await delay(ending.kind === "broken" ? 250 * 2 ** fruitless : 0);
  return statusOf(hub, path);
}

/** All bytes there and yet not whole: the last one is sent again, so that the hub looks at it. */
function startOf(offset: number, total: number): number {
  return offset < total ? offset : Math.max(0, offset === total ? total - 1 : 0);
}
