// Brings model files and sealed documents from a stick or a directory to the imports. Names are never trusted, links never followed.
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Digest } from "@context-edge/protocol";
import type { Mishap } from "../core/steps.ts";
import { errnoOf, mishapOf } from "../errors.ts";
import { syncDirectory } from "./durable-file.ts";
import { importPath, prepareImports } from "./imports.ts";
import { checkFree } from "./space.ts";

export interface Placed {
  /** Its name on the stick, for people. */
  file: string;
  digest: Digest;
  sizeBytes: number;
}

/** Sealed envelopes as the hub serves them, for a device without any network; nothing about them is verified here. */
export interface CarriedDocuments {
  manifest: unknown;
  assignment: unknown;
}

export type Placement =
  | { ok: true; files: Placed[]; documents: CarriedDocuments }
  /** Nothing half-copied stays; files placed before the failure do. */
  | { ok: false; mishap: Mishap };

export interface Placing {
  /** `<models directory>/.agent` */
  ownDir: string;
  /** A model file, or a directory with model files and perhaps manifest.json and assignment.json. */
  path: string;
  reserveBytes: number;
  signal: AbortSignal;
}

const MODEL_SUFFIXES: readonly string[] = [".trt", ".engine", ".plan", ".onnx"];
const CHUNK_BYTES = 1024 * 1024;
const SPACE_EVERY_BYTES = 16 * CHUNK_BYTES;
const DOCUMENT_LIMIT_BYTES = 16 * 1024 * 1024;
/** No link is followed; and without O_NONBLOCK the open of a named pipe would wait for a writer for ever. */
const UNTRUSTED_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** @throws only when `signal` aborts */
export async function placeImports(placing: Placing): Promise<Placement> {
  const { ownDir, path, signal } = placing;
  const files: Placed[] = [];
  const documents: CarriedDocuments = { manifest: null, assignment: null };
  try {
    const folder = await prepareImports(ownDir);
    const isDirectory = (await lstat(path)).isDirectory();
    for (const file of isDirectory ? await modelFilesIn(path) : [path]) {
      const placed = await place(placing, folder, file);
      if ("code" in placed) return { ok: false, mishap: placed };
      files.push(placed);
    }
    if (isDirectory) {
      documents.manifest = await readDocument(join(path, "manifest.json"));
      documents.assignment = await readDocument(join(path, "assignment.json"));
    }
    await syncDirectory(folder);
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, mishap: wordsFor(error, path) };
  }
  const isEmpty = files.length === 0 && documents.manifest === null && documents.assignment === null;
  return isEmpty ? { ok: false, mishap: nothingThere(path) } : { ok: true, files, documents };
}

async function modelFilesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const models = entries.filter(
    (entry) => entry.isFile() && MODEL_SUFFIXES.includes(extname(entry.name).toLowerCase()),
  );
  return models.map((entry) => join(path, entry.name)).sort();
}

/** Copied under a name of our own, hashed on the way, put on the disk, and only then given its digest for a name. */
async function place(placing: Placing, folder: string, path: string): Promise<Placed | Mishap> {
  const source = await open(path, UNTRUSTED_READ);
  const temp = join(folder, `${randomUUID()}.tmp`);
  try {
    const stat = await source.stat();
    if (!stat.isFile()) return noPlainFile(path);
    const full = await checkFree(folder, stat.size + placing.reserveBytes);
    if (full) return full;
    const target = await open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const copied = await copy(source, target, stat.size, placing, folder);
      if ("code" in copied) return copied;
      await target.sync();
      await rename(temp, importPath(placing.ownDir, copied.digest));
      return { file: basename(path), ...copied };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
    await rm(temp, { force: true });
  }
}

/** @param sizeBytes as it was at the beginning: a file that grows without end must not fill the disk */
async function copy(
  source: FileHandle,
  target: FileHandle,
  sizeBytes: number,
  { reserveBytes, signal }: Placing,
  folder: string,
): Promise<{ digest: Digest; sizeBytes: number } | Mishap> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = 0;
  while (position < sizeBytes) {
    signal.throwIfAborted();
    if (position > 0 && position % SPACE_EVERY_BYTES === 0) {
      const full = await checkFree(folder, Math.min(sizeBytes - position, SPACE_EVERY_BYTES) + reserveBytes);
      if (full) return full;
    }
    const { bytesRead } = await source.read(buffer, 0, Math.min(CHUNK_BYTES, sizeBytes - position), position);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    for (let written = 0; written < bytesRead;) {
      written += (await target.write(buffer, written, bytesRead - written, position + written)).bytesWritten;
    }
    position += bytesRead;
  }
  return { digest: hash.digest("hex"), sizeBytes: position };
}

/** @returns null when it is absent, no plain file, too long or no JSON */
async function readDocument(path: string): Promise<unknown> {
  const handle = await open(path, UNTRUSTED_READ).catch(() => null);
  if (!handle) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > DOCUMENT_LIMIT_BYTES) return null;
    return JSON.parse(await handle.readFile("utf8")) as unknown;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

function wordsFor(error: unknown, path: string): Mishap {
  const errno = errnoOf(error);
  if (errno === "ELOOP") return noPlainFile(path);
  if (errno === "ENOENT") return nothingThere(path);
  return mishapOf(error);
}

function noPlainFile(path: string): Mishap {
  return {
    code: "NOT_A_FILE",
    message: `${basename(path)} is a link or no plain file; links are never followed`,
    nextStep: "Copy the file itself to the stick.",
    kind: "permanent",
  };
}

function nothingThere(path: string): Mishap {
  return {
    code: "NOTHING_TO_IMPORT",
    message: `${path} holds no model file (${MODEL_SUFFIXES.join(", ")}) and no sealed document`,
    nextStep: "Check the path, and that the stick is mounted where the agent can read it.",
    kind: "permanent",
  };
}
