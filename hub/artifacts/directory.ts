// Artifacts in a content-addressed directory: `ab/abcdef…`, written alongside, synced, then renamed into place.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Digest } from "@context-edge/protocol";
import { outageOf } from "../store/outage.ts";
import type { Artifacts, PutResult } from "./artifacts.ts";
import { isBrokenBody } from "./broken-body.ts";
import { isGone, keepParts, type Part } from "./parts.ts";
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
const FOLDER = /^[0-9a-f]{2}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** @param place what tells this directory from an empty mount point. */
export function directoryArtifacts(
  dir: string,
  { maxBytes, rehash = true }: DirectoryLimits,
  place: Place = ANYWHERE,
): Artifacts {
  const soundness = openSoundness(rottenDirOf(dir), hashFile);
  const parts = keepParts(join(dir, "partial"));
  const fileOf = (digest: Digest) => join(dir, digest.slice(0, 2), digest);
  const sizeOf = (file: string) =>
    stat(file).then(
      (found) => found.size,
      () => undefined,
    );

  /** Nobody has the part open any more: from here on its bytes are the ones that were hashed. */
  const publish = async (digest: Digest, part: Part, sizeBytes: number): Promise<PutResult> => {
    // The digest is taken from what the disk has, not from what went past: they differ when an upload was resumed.
    const actual = await hashFile(part.file);
    if (actual !== digest) {
      await part.discard();
      return { ok: false, why: "digest-mismatch", actual, sizeBytes };
    }
    const file = fileOf(digest);
    const made = await mkdir(dirname(file), { recursive: true });
    await rename(part.file, file);
    await syncDirectory(dirname(file));
    if (made !== undefined) await syncDirectory(dir);
    await part.published();
    return { ok: true, digest, sizeBytes };
  };

  return {
    async put(digest, body, resumed) {
      await place.require();
      const start = resumed?.start ?? 0;
      const part = await parts.begin(digest, start);
      if (!part) return { ok: false, why: "wrong-offset", offset: await parts.longest(digest) };
      try {
        const written = await append(part.file, start, body, maxBytes);
        if (!written.ok && written.why === "too-large") {
          await part.discard();
          return written;
        }
        if (!written.ok || (resumed && written.sizeBytes < resumed.totalBytes)) {
          await part.keep();
          return { ok: false, why: "incomplete", offset: written.ok ? written.sizeBytes : written.offset };
        }
        return await publish(digest, part, written.sizeBytes);
      } catch (error) {
        // What is on a full disk can neither go on nor be kept: the database needs the space.
        if (outageOf(error) === "full") await part.discard();
        else await part.keep();
        if (!isGone(error)) throw error;
        // Another hub on this disk has published the same file and cleared up.
        const sizeBytes = await sizeOf(fileOf(digest));
        return sizeBytes === undefined
          ? { ok: false, why: "incomplete", offset: await parts.longest(digest) }
          : { ok: true, digest, sizeBytes };
      }
    },
    uploadedBytes: (digest) => parts.longest(digest),
    discardUploads: (beforeMs) => parts.discardOlderThan(beforeMs),
    stat: async (digest) => {
      const sizeBytes = await sizeOf(fileOf(digest));
      // That a file is missing is only true of the directory it would be in.
      if (sizeBytes === undefined) await place.require();
      return sizeBytes === undefined ? undefined : { sizeBytes };
    },
    async *list() {
      await place.require();
      for (const folder of await readdir(dir).catch(() => [])) {
        for (const digest of FOLDER.test(folder) ? await readdir(join(dir, folder)) : []) {
          const found = DIGEST.test(digest) ? await stat(fileOf(digest)).catch(() => undefined) : undefined;
          if (found?.isFile()) yield { digest, sizeBytes: found.size, modifiedMs: found.mtimeMs };
        }
      }
    },
    async remove(digest) {
      await place.require();
      await rm(fileOf(digest), { force: true });
    },
    // Its marker tells whose it is, and it is required before anything is done here.
    sharedWith: async () => [],
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

type Appended =
  | { ok: true; sizeBytes: number }
  | Extract<PutResult, { why: "too-large" }>
  | Extract<PutResult, { why: "incomplete" }>;

async function append(file: string, start: number, body: Readable, maxBytes: number): Promise<Appended> {
  // A new file must be new: what is there already may be somebody else's.
  const handle = await open(file, start === 0 ? "wx" : "r+");
  let position = start;
  try {
    await handle.truncate(start);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (position + chunk.length > maxBytes) return { ok: false, why: "too-large", maxBytes };
      await writeWhole(handle, chunk, position);
      position += chunk.length;
    }
    await handle.sync();
    return { ok: true, sizeBytes: position };
  } catch (error) {
    if (!isBrokenBody(error)) throw error;
    await handle.sync();
    return { ok: false, why: "incomplete", offset: position };
  } finally {
    await handle.close();
  }
}

/** write(2) may take less than it was given, as it does on a disk that is nearly full. */
async function writeWhole(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
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
