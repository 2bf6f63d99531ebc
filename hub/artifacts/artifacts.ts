// The port to where model files live: named by their digest, whole or not there at all.
import type { Readable } from "node:stream";
import type { Digest } from "@context-edge/protocol";

export interface Stored {
  digest: Digest;
  sizeBytes: number;
}

/** A whole file as it lies there. */
export interface Kept extends Stored {
  modifiedMs: number;
}

export type PutResult =
  | ({ ok: true } & Stored)
  | { ok: false; why: "digest-mismatch"; actual: Digest; sizeBytes: number }
  | { ok: false; why: "too-large"; maxBytes: number }
  /** The body broke off; what came is kept and may be resumed at `offset`. */
  | { ok: false; why: "incomplete"; offset: number }
  | { ok: false; why: "wrong-offset"; offset: number };

export type Located =
  | { at: "here"; sizeBytes: number; open(range?: { start: number; end: number }): Readable }
  /** A short-lived address the device may fetch from by itself. */
  | { at: "elsewhere"; url: string };

export interface Artifacts {
  /**
   * Streams once, computing digest and size; nothing is visible before both fit. Any number at once, of one file too: none
   * writes where another does.
   * @param part where this body starts and how long the whole is, when an upload is resumed.
   */
  put(digest: Digest, body: Readable, part?: { start: number; totalBytes: number }): Promise<PutResult>;
  /** Bytes of a broken upload that can be built upon. */
  uploadedBytes(digest: Digest): Promise<number>;
  /** What broken uploads left, untouched since then, is deleted. @returns how many. */
  discardUploads(beforeMs: number): Promise<number>;
  stat(digest: Digest): Promise<{ sizeBytes: number } | undefined>;
  /** Every whole file. Nothing else that lies in the same place. */
  list(): AsyncIterable<Kept>;
  /** One that is not there is removed already. */
  remove(digest: Digest): Promise<void>;
  /** The first bytes, for telling a plan from an ONNX file. */
  head(digest: Digest, bytes: number): Promise<Uint8Array>;
  locate(digest: Digest): Promise<Located | undefined>;
  /**
   * Says that the hub with this id keeps files here.
   * @returns other hubs that do, and whose files must not be taken for unused ones.
   */
  sharedWith(hubId: string): Promise<string[]>;
  /** @throws when files could not be read or taken now. */
  reach(): Promise<void>;
}

/** A bucket whose objects may be registered by name. */
export type Adopted =
  | ({ ok: true } & Stored)
  | { ok: false; why: "bucket-not-configured" | "missing" | "unavailable"; detail: string };

export interface Buckets {
  /** Reads `s3://bucket/key` once to learn its digest and size; from then on it can be located by digest. */
  adopt(bucket: string, key: string): Promise<Adopted>;
}
