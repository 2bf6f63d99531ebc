// Fetches one artifact into its `.part`: resumable across restarts, never longer than the signed size, never slower than a floor.
import { errnoOf, mishapOf } from "../errors.ts";
import { type FileHandle, readFile, rm, writeFile } from "node:fs/promises";
import { RANGE_UNUSABLE, wrongSize } from "../core/complaints.ts";
import type { Mishap } from "../core/steps.ts";
import type { Transfer } from "../core/transfer-rate.ts";
import { openArtifact, type Opened } from "./artifact-request.ts";
import type { DownloadLine } from "./download-line.ts";
import { openPartial } from "./publish.ts";
import { pour } from "./download-pour.ts";

export interface Download {
  line: DownloadLine;
  url: string;
  credential: string;
  /** Origins beside the hub's own that a redirect may lead to (AGENT_ARTIFACT_ORIGINS). */
  allowedOrigins: readonly string[];
  partPath: string;
  /** Forget what was fetched before. */
  clean: boolean;
  /** As signed by the release key. */
  sizeBytes: number;
  /** Stays free on the disk whatever comes (AGENT_DISK_RESERVE). */
  reserveBytes: number;
  /** At the start, a few times a second, and at the end. */
  progress: (transfer: Transfer) => void;
  signal: AbortSignal;
}

export type Downloaded = { ok: true } | { ok: false; mishap: Mishap };
export type Stream = Extract<Opened, { status: 200 | 206 }>;

/** A server that does not resume, or resumes elsewhere, is asked again for the whole file this often. */
const RESTARTS = 2;
/** A disk that is full must not stay full of a file that cannot be finished; after an fsync error no byte of it is sure. */
const DISCARDING: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG", "EIO"];

/** @throws only when `signal` aborts; what was fetched stays for the next time. */
export async function download(request: Download): Promise<Downloaded> {
  let handle: FileHandle | null = null;
  try {
    handle = await openPartial(request.partPath);
    if (request.clean) await handle.truncate(0);
    for (let restarts = 0; restarts <= RESTARTS; restarts += 1) {
      const outcome = await continuePart(request, handle);
      if (outcome === "restart") {
        await handle.truncate(0);
        continue;
      }
      if (!outcome.ok && outcome.mishap.code === "DISK_FULL") await discard(request.partPath, handle);
      return outcome;
    }
    return { ok: false, mishap: RANGE_UNUSABLE };
  } catch (error) {
    request.signal.throwIfAborted();
    if (DISCARDING.includes(errnoOf(error) ?? "")) await discard(request.partPath, handle);
    return { ok: false, mishap: mishapOf(error) };
  } finally {
    await handle?.close();
  }
}

async function continuePart(request: Download, handle: FileHandle): Promise<Downloaded | "restart"> {
  const { line, url, credential, allowedOrigins, sizeBytes, partPath, signal } = request;
  const { size: have } = await handle.stat();
  request.progress({ bytes: have, rateBytesPerS: null, leftS: null });
  if (have > sizeBytes) return "restart";
  if (have === sizeBytes) {
    await handle.sync();
    return { ok: true };
  }

  const etag = have > 0 ? await rememberedETag(partPath) : null;
  const opened = await openArtifact({ ...line, url, credential, allowedOrigins, signal, have, etag });
  if (!opened.ok) return opened;
  if (opened.status === 416) {
    const { completeLength } = opened;
    const isOther = completeLength !== null && completeLength !== sizeBytes;
    return isOther ? { ok: false, mishap: wrongSize(sizeBytes, completeLength) } : "restart";
  }
  const start = startOf(opened);
  try {
    const complete = completeLengthOf(opened);
    if (complete !== null && complete !== sizeBytes) return { ok: false, mishap: wrongSize(sizeBytes, complete) };
    // A part of another file than the one we have the beginning of, or another part of it.
    const isOther = etag !== null && opened.etag !== null && opened.etag !== etag;
    if (opened.status === 206 && (start !== have || isOther)) return "restart";
    // 200 instead of 206: the whole file comes, and must not be appended to the part.
    if (start === 0 && have > 0) await handle.truncate(0);
    await rememberETag(partPath, opened.etag);
    return await pour(request, handle, opened.body, start ?? 0);
  } finally {
    opened.body.close();
  }
}

function startOf(opened: Stream): number | null {
  return opened.status === 206 ? (opened.range?.start ?? null) : 0;
}

/** Length of the whole file as the server has it, when it says so. */
function completeLengthOf(opened: Stream): number | null {
  return opened.status === 206 ? (opened.range?.completeLength ?? null) : opened.contentLength;
}

/** Truncated first: the name may be gone and the bytes still taken while the handle is open. */
async function discard(partPath: string, handle: FileHandle | null): Promise<void> {
  await handle?.truncate(0).catch(() => undefined);
  for (const path of [partPath, etagPath(partPath)]) await rm(path, { force: true }).catch(() => undefined);
}

const etagPath = (partPath: string) => `${partPath}.etag`;

/** Beside the part, so that a resumption after a restart can still tell the server which bytes it has. */
async function rememberETag(partPath: string, etag: string | null): Promise<void> {
  await rm(etagPath(partPath), { force: true });
  if (etag !== null) await writeFile(etagPath(partPath), etag, { flag: "wx", mode: 0o600 });
}

async function rememberedETag(partPath: string): Promise<string | null> {
  const etag = await readFile(etagPath(partPath), "utf8").catch(() => null);
  return etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : null;
}
