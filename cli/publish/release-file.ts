// A model file on this machine: its size and sha256, its format, and the platform it was built for.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { Platform, type Variant } from "@context-edge/protocol";
import { z } from "zod";
import { wrongUse } from "../exits.ts";
import { read } from "../plain-words.ts";

export interface ReleaseFile {
  file: string;
  variant: Variant;
}

/** @param spec `FILE`, or `FILE@platform.json` with what the file needs. */
export async function readReleaseFile(spec: string, format: string | undefined): Promise<ReleaseFile> {
  const { file, platformFile } = await splitSpec(spec);
  const platform = platformFile === undefined ? {} : await readJson(platformFile, z.strictObject(Platform.shape));
  const digest = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    digest.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  if (sizeBytes === 0) throw wrongUse(`${file} is empty.`);
  const variant = {
    digest: digest.digest("hex"),
    size_bytes: sizeBytes,
    format: format ?? (await formatOf(file)),
    platform,
  };
  return { file, variant };
}

/** A file whose name really holds an "@" is taken as it is. */
async function splitSpec(spec: string): Promise<{ file: string; platformFile: string | undefined }> {
  const at = spec.lastIndexOf("@");
  if ((await isFile(spec)) || at < 1) {
    if (!(await isFile(spec))) throw wrongUse(`There is no file ${spec}.`);
    return { file: spec, platformFile: undefined };
  }
  const file = spec.slice(0, at);
  if (!(await isFile(file))) throw wrongUse(`There is no file ${file}.`);
  return { file, platformFile: spec.slice(at + 1) };
}

const isFile = (file: string) =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );

/** By its ending; `ftrt` opens every TensorRT plan. */
async function formatOf(file: string): Promise<string> {
  const ending = /\.([a-z0-9]{1,16})$/i.exec(file)?.[1]?.toLowerCase();
  if (ending === "onnx") return "onnx";
  if (ending === "trt" || ending === "plan") return "trt";
  if (ending === "engine") return "engine";
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.toString("latin1") === "ftrt") return "trt";
  } finally {
    await handle.close();
  }
  throw wrongUse(`The format of ${file} cannot be told from its name.`, "Say it: --format trt, --format onnx.");
}

export async function readJson<T extends z.ZodType>(file: string, schema: T): Promise<z.infer<T>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw wrongUse(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const parsed = read(schema, value);
  if (parsed.ok) return parsed.value;
  throw wrongUse(`${file} is not as expected: ${parsed.where.join(".") || "the document"}: ${parsed.wrong}.`);
}
