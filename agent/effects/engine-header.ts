// Reads the first bytes of a published file: enough to know a TensorRT plan from a wrapped one, and its version.
import { open } from "node:fs/promises";
import type { EngineHeader } from "../core/engine.ts";

/** `ftrt`, little-endian, at byte 0; serialization version 0 at byte 4; major, minor, patch, build at 24 to 27 (9.0 to 11.1). */
const MAGIC = 0x74727466;
const VERSION_AT = 24;
const READ_BYTES = 28;
/** Metadata of a wrapped engine is a few hundred bytes of JSON. */
const LONGEST_WRAPPER = 1024 * 1024;
const BRACE = 0x7b;

export async function readEngineHeader(path: string): Promise<EngineHeader> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
    return headerOf(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** @param bytes the first 28 of the file, or all it has */
export function headerOf(bytes: Buffer): EngineHeader {
  if (bytes.length < READ_BYTES) return { is: "unknown" };
  const isPlan = bytes.readUInt32LE(0) === MAGIC && bytes.readUInt32LE(4) === 0;
  const tensorrt = [...bytes.subarray(VERSION_AT, VERSION_AT + 4)];
  // A zero major is a header of another layout.
  if (isPlan) return (tensorrt[0] ?? 0) > 0 ? { is: "plan", tensorrt: tensorrt.join(".") } : { is: "unknown" };
  const length = bytes.readInt32LE(0);
  const isWrapped = length > 1 && length < LONGEST_WRAPPER && bytes[4] === BRACE;
  return isWrapped ? { is: "ultralytics" } : { is: "unknown" };
}
