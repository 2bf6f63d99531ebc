// Artifacts in a content-addressed directory: `ab/abcdef…`, written alongside, synced, then renamed into place.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Digest } from "@context-edge/protocol";
import { outageOf } from "../store/outage.ts";
import type { Artifacts, PutResult } from "./artifacts.ts";
import { type Place, writeThrough } from "./place.ts";
import { openSoundness, rottenDirOf } from "./soundness.ts";

export interface DirectoryLimits {
  maxBytes: number;
  /** False: a file that rotted on the disk is served, and every device finds it out for itself. */
  rehash?: boolean;
}

const ANYWHERE: Place = { require: () => Promise.resolve() };
/** Written again and again, to see whether the directory can be written. */
const TRIED = "written-last";

/** @param place what tells this directory from an empty mount point. */
export function directoryArtifacts(
  dir: string,
  { maxBytes, rehash = true }: DirectoryLimits,
  place: Place = ANYWHERE,
): Artifacts {
  const soundness = openSoundness(rottenDirOf(dir), hashFile);
  const fileOf = (digest: Digest) => join(dir, digest.slice(0, 2), digest);
  const partOf = (digest: Digest) => join(dir, "partial", `${digest}.part`);
  const sizeOf = (file: string) =>
    stat(file).then(
      (found) => found.size,
      () => undefined,
    );

  return {
    async put(digest, body, part) {
      await place.require();
      const file = fileOf(digest);
      const partFile = partOf(digest);
      const present = (await sizeOf(partFile)) ?? 0;
      const start = part?.start ?? 0;
      if (start > present) return { ok: false, why: "wrong-offset", offset: present };
      await mkdir(dirname(partFile), { recursive: true });
      const written = await append(partFile, start, body, maxBytes);
      if (!written.ok) {
        if (written.why === "too-large") await rm(partFile, { force: true });
        return written;
      }
      if (part && written.sizeBytes < part.totalBytes)
        return { ok: false, why: "incomplete", offset: written.sizeBytes };
      // The digest is taken from what the disk has, not from what went past: they differ when an upload was resumed.
      const actual = await hashFile(partFile);
      if (actual !== digest) {
        await rm(partFile, { force: true });
        return { ok: false, why: "digest-mismatch", actual, sizeBytes: written.sizeBytes };
      }
      await mkdir(dirname(file), { recursive: true });
      await rename(partFile, file);
      await syncDirectory(dirname(file));
      return { ok: true, digest, sizeBytes: written.sizeBytes };
    },
    uploadedBytes: async (digest) => (await sizeOf(partOf(digest))) ?? 0,
    stat: async (digest) => {
      const sizeBytes = await sizeOf(fileOf(digest));
      // That a file is missing is only true of the directory it would be in.
      if (sizeBytes === undefined) await place.require();
      return sizeBytes === undefined ? undefined : { sizeBytes };
    },
    head: (digest, bytes) => readHead(fileOf(digest), bytes),
    reach: async () => {
      await place.require();
      await writeThrough(join(dir, TRIED), new Date().toISOString());
    },
    locate: async (digest) => {
      const file = fileOf(digest);
      const sound = rehash
        ? await soundness.check(digest, file)
        : await stat(file).then(
            ({ size }) => ({ sizeBytes: size }),
            () => undefined,
          );
      if (!sound) {
        await place.require();
        return undefined;
      }
      return { at: "here", sizeBytes: sound.sizeBytes, open: (range) => createReadStream(file, range) };
    },
  };
}

type Appended = { ok: true; sizeBytes: number } | Extract<PutResult, { why: "too-large" | "incomplete" }>;

async function append(file: string, start: number, body: Readable, maxBytes: number): Promise<Appended> {
  const handle = await open(file, start === 0 ? "w" : "r+");
  let position = start;
  try {
    await handle.truncate(start);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (position + chunk.length > maxBytes) return { ok: false, why: "too-large", maxBytes };
      await handle.write(chunk, 0, chunk.length, position);
      position += chunk.length;
    }
    await handle.sync();
    return { ok: true, sizeBytes: position };
  } catch (error) {
    // What is on a full disk can neither go on nor be kept: the database needs the space.
    if (outageOf(error) === "full") await rm(file, { force: true });
    if (!isBrokenBody(error)) throw error;
    await handle.sync();
    return { ok: false, why: "incomplete", offset: position };
  } finally {
    await handle.close();
  }
}

function isBrokenBody(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ERR_HTTP_REQUEST_TIMEOUT";
}

export async function hashFile(file: string): Promise<Digest> {
  const hash: Hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function readHead(file: string, bytes: number): Promise<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A rename is on the disk only once its directory is. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
