// The body of an upload on its way into an object store: hashed as it passes, a few parts of it in memory and no more.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Digest } from "@context-edge/protocol";
import { isBrokenBody } from "./broken-body.ts";
import type { Ingest } from "./s3-uploads.ts";

export interface Receiving {
  start: number;
  maxBytes: number;
  partBytes: number;
  /** What it goes on with; undefined for a new one, which begins only when the first part is full. */
  ingest: Ingest | undefined;
  begin(): Promise<Ingest>;
}

export type Received =
  /** @property digest of the bytes of this body alone. */
  | { is: "whole"; ingest: Ingest | undefined; sizeBytes: number; digest: Digest; rest: Buffer }
  | { is: "too-large"; ingest: Ingest | undefined }
  /** The body broke off, or another upload has gone on with the parts. */
  | { is: "broken"; ingest: Ingest | undefined };

const AT_ONCE = 3;

/** @throws what the store failed with; parts that it has by then can be gone on with. */
export async function receive(body: Readable, how: Receiving): Promise<Received> {
  let { ingest } = how;
  let position = how.start;
  let buffered: Buffer[] = [];
  let bufferedBytes = 0;
  const hash = createHash("sha256");
  const line = partLine();
  try {
    // A body that is not read to its end must not take the answer's connection with it.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      position += chunk.length;
      if (position > how.maxBytes) return { is: "too-large", ingest };
      hash.update(chunk);
      buffered.push(chunk);
      bufferedBytes += chunk.length;
      if (bufferedBytes < how.partBytes) continue;
      const bytes = Buffer.concat(buffered);
      const whole = bytes.length - (bytes.length % how.partBytes);
      ingest ??= await how.begin();
      for (let at = 0; at < whole; at += how.partBytes) {
        if (!ingest.isOurs()) return { is: "broken", ingest };
        await line.add(ingest, bytes.subarray(at, at + how.partBytes));
      }
      buffered = [bytes.subarray(whole)];
      bufferedBytes = bytes.length - whole;
    }
    await line.drained();
    const rest = Buffer.concat(buffered);
    return { is: "whole", ingest, sizeBytes: position, digest: hash.digest("hex"), rest };
  } catch (error) {
    if (!isBrokenBody(error)) throw error;
    return { is: "broken", ingest };
  } finally {
    await line.drained().catch(() => undefined);
  }
}

/** A few parts on their way at once; the first one that fails fails them all. */
function partLine() {
  const under = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    async add(ingest: Ingest, bytes: Buffer): Promise<void> {
      while (under.size >= AT_ONCE) await Promise.race(under);
      check();
      const sent: Promise<void> = ingest
        .add(bytes)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => under.delete(sent));
      under.add(sent);
    },
    async drained(): Promise<void> {
      await Promise.all(under);
      check();
    },
  };
}
