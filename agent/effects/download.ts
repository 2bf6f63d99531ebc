// Fetches one artifact into its `.part`: resumable across restarts, never longer than the signed size, never slower than a floor.
import { type FileHandle, readFile, rm, writeFile } from "node:fs/promises";
import type { Mishap } from "../core/steps.ts";
import { errnoOf, mishapOf } from "../errors.ts";
import { openArtifact, type Opened, type Opening } from "./artifact-request.ts";
import { connectionFailure } from "./http.ts";
import { openPartial } from "./publish.ts";

export interface Download extends Omit<Opening, "have" | "etag"> {
  partPath: string;
  /** Forget what was fetched before. */
  clean: boolean;
  /** As signed by the release key. */
  sizeBytes: number;
  progress: (bytes: number) => void;
  /** Fewer bytes than this in a window, and the link counts as dead. */
  rate?: { minBytes: number; windowMs: number };
}

export type Downloaded = { ok: true } | { ok: false; mishap: Mishap };
type Stream = Extract<Opened, { status: 200 | 206 }>;

/** A server that does not resume, or resumes elsewhere, is asked again for the whole file this often. */
const RESTARTS = 2;
const DEFAULT_RATE = { minBytes: 16 * 1024, windowMs: 60_000 };

/** @throws only when `signal` aborts; what was fetched stays for the next time. */
export async function download(request: Download): Promise<Downloaded> {
  const handle = await openPartial(request.partPath);
  try {
    if (request.clean) await handle.truncate(0);
    for (let restarts = 0; restarts <= RESTARTS; restarts += 1) {
      const outcome = await continuePart(request, handle);
      if (outcome !== "restart") return outcome;
      await handle.truncate(0);
    }
    return passing("RANGE_UNUSABLE", "the server keeps sending another part of the file than it was asked for");
  } catch (error) {
    request.signal.throwIfAborted();
    // A full disk must not stay full of a file that cannot be finished.
    if (errnoOf(error) === "ENOSPC" || errnoOf(error) === "EDQUOT") await handle.truncate(0).catch(() => undefined);
    return { ok: false, mishap: mishapOf(error) };
  } finally {
    await handle.close();
  }
}

async function continuePart(request: Download, handle: FileHandle): Promise<Downloaded | "restart"> {
  const { sizeBytes, partPath } = request;
  const { size: have } = await handle.stat();
  request.progress(have);
  if (have === sizeBytes) return finish(handle);
  if (have > sizeBytes) return "restart";

  const etag = have > 0 ? await rememberedETag(partPath) : null;
  const opened = await openArtifact({ ...request, have, etag });
  if (!opened.ok) return opened;
  if (opened.status === 416) {
    const { completeLength } = opened;
    return completeLength !== null && completeLength !== sizeBytes ? wrongSize(sizeBytes, completeLength) : "restart";
  }
  const complete = completeLengthOf(opened);
  if (complete !== null && complete !== sizeBytes) {
    opened.close();
    return wrongSize(sizeBytes, complete);
  }
  const start = opened.status === 206 ? opened.range?.start : 0;
  if (opened.status === 206 && start !== have) {
    opened.close();
    return "restart";
  }
  // 200 instead of 206: the whole file comes, and must not be appended to the part.
  if (start === 0 && have > 0) await handle.truncate(0);
  await rememberETag(partPath, opened.etag);
  return receive(request, handle, opened, start ?? 0);
}

async function receive(request: Download, handle: FileHandle, opened: Stream, start: number): Promise<Downloaded> {
  const { sizeBytes, progress, rate = DEFAULT_RATE } = request;
  let position = start;
  let window = { startedAt: performance.now(), bytes: 0 };
  try {
    for await (const chunk of opened.body) {
      request.signal.throwIfAborted();
      const wanted = chunk.subarray(0, sizeBytes - position);
      // A short write is legal: positions are counted by what was written.
      for (let written = 0; written < wanted.length;) {
        const { bytesWritten } = await handle.write(wanted, written, wanted.length - written, position);
        written += bytesWritten;
        position += bytesWritten;
      }
      progress(position);
      // An endless body is cut at the signed size; the digest decides whether it began right.
      if (position === sizeBytes) return await finish(handle);
      window.bytes += chunk.length;
      if (performance.now() - window.startedAt > rate.windowMs) {
        if (window.bytes < rate.minBytes) return passing("LINK_TOO_SLOW", "the download all but stood still");
        window = { startedAt: performance.now(), bytes: 0 };
      }
    }
  } catch (error) {
    request.signal.throwIfAborted();
    const errno = errnoOf(error);
    if (errno !== undefined && DISK_ERRNOS.includes(errno)) throw error;
    const failure = connectionFailure(error);
    const isUnnamed = failure.code === "CONNECTION_FAILED";
    const lost = isUnnamed
      ? { code: "CONNECTION_LOST", message: "the connection was cut in the middle of the file" }
      : {};
    return { ok: false, mishap: { ...failure, ...lost, kind: "passing", progressed: position > start } };
  } finally {
    opened.close();
  }
  // The server ended its answer in good order, and it is too short.
  return wrongSize(sizeBytes, position);
}

const DISK_ERRNOS: readonly string[] = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG"];

async function finish(handle: FileHandle): Promise<Downloaded> {
  await handle.sync();
  return { ok: true };
}

/** Length of the whole file as the server has it, when it says so. */
function completeLengthOf(opened: Stream): number | null {
  return opened.status === 206 ? (opened.range?.completeLength ?? null) : opened.contentLength;
}

function wrongSize(expected: number, actual: number): Downloaded {
  return {
    ok: false,
    mishap: {
      code: "SIZE_MISMATCH",
      message: `the hub has ${actual} bytes of this file, the signed size is ${expected} bytes`,
      nextStep: "Upload the file again as it was signed, or register it as a new version.",
      kind: "permanent",
      evidence: { expected_bytes: expected, actual_bytes: actual },
    },
  };
}

function passing(code: string, message: string): Downloaded {
  return {
    ok: false,
    mishap: { code, message, nextStep: "Check the network between device and hub.", kind: "passing" },
  };
}

/** Beside the part, so that a resumption after a restart can still tell the server which bytes it has. */
async function rememberETag(partPath: string, etag: string | null): Promise<void> {
  const path = `${partPath}.etag`;
  await rm(path, { force: true });
  if (etag !== null) await writeFile(path, etag, { flag: "wx", mode: 0o600 });
}

async function rememberedETag(partPath: string): Promise<string | null> {
  const etag = await readFile(`${partPath}.etag`, "utf8").catch(() => null);
  return etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : null;
}
