// From the socket to the disk: in batches, at no more than the cap, with an eye on the rate, the disk's room and the progress.
import { errnoOf } from "../errors.ts";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { linkTooSlow, wrongSize } from "../core/complaints.ts";
import { LEAST_INTERVAL_MS, nextSample, type Sample, transfer } from "../core/transfer-rate.ts";
import { connectionFailure } from "./connection-words.ts";
import type { Download, Downloaded } from "./download.ts";
import { syncing, watchingSpace } from "./download-disk.ts";
import { watchRate } from "./download-watch.ts";
import { pause } from "./pause.ts";
import type { Body } from "./received.ts";

const DISK_ERRNOS: readonly string[] = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG"];

/** @throws what the disk says, and when `signal` aborts */
export async function pour(request: Download, handle: FileHandle, body: Body, start: number): Promise<Downloaded> {
  const { line, sizeBytes, partPath, reserveBytes, signal } = request;
  const slow = new Error("too slow");
  let isSlow = false;
  const watch = watchRate(line.floor, () => {
    isSlow = true;
    body.close(slow);
  });
  const ashore = syncing(handle);
  const lookout = watchingSpace(dirname(partPath), sizeBytes, reserveBytes);
  const meter = metering(request, start);
  let position = start;
  try {
    for (;;) {
      const full = await lookout.at(position);
      if (full) return { ok: false, mishap: full };
      const batch = await watch.waiting(body.take());
      signal.throwIfAborted();
      // The server ended its answer in good order, and it is too short.
      if (batch === null) return { ok: false, mishap: wrongSize(sizeBytes, position) };
      const before = position;
      position = await writeBatch(handle, batch, position, sizeBytes);
      watch.count(position - before);
      const waitMs = line.pace.spend(position - before, performance.now());
      meter.at(position);
      ashore.wrote(position - before);
      // An endless body is cut at the signed size; the digest decides whether it began right.
      if (position === sizeBytes) {
        body.close();
        meter.end(position);
        await ashore.finish();
        return { ok: true };
      }
      // Less than a timer's grain is carried over to the next time.
      if (waitMs >= 2) await pause(waitMs, signal);
      signal.throwIfAborted();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (DISK_ERRNOS.includes(errnoOf(error) ?? "")) throw error;
    const { bytesPerS, windowMs } = line.floor;
    if (isSlow) {
      // Next to nothing is no progress, or a link that drips would be tried for ever and never told to anyone.
      const progressed = position - start >= (bytesPerS * windowMs) / 1_000;
      return { ok: false, mishap: { ...linkTooSlow(bytesPerS, windowMs), progressed } };
    }
    return { ok: false, mishap: { ...connectionFailure(error), kind: "passing", progressed: position > start } };
  } finally {
    watch.stop();
    await ashore.settled();
    await lookout.settled();
  }
}

/** @returns the position after the last byte written, `end` at most */
async function writeBatch(handle: FileHandle, batch: readonly Buffer[], at: number, end: number): Promise<number> {
  let position = at;
  let rest = cut(batch, end - position);
  while (rest.length > 0) {
    // A short write is legal: positions are counted by what was written.
    const { bytesWritten } = await handle.writev(rest, position);
    position += bytesWritten;
    rest = skip(rest, bytesWritten);
  }
  return position;
}

/** The first `bytes` of the batch. */
function cut(batch: readonly Buffer[], bytes: number): Buffer[] {
  const kept: Buffer[] = [];
  let left = bytes;
  for (const chunk of batch) {
    if (left <= 0) break;
    kept.push(chunk.length <= left ? chunk : chunk.subarray(0, left));
    left -= chunk.length;
  }
  return kept;
}

function skip(batch: Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  return batch.flatMap((chunk) => {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    return skipped === chunk.length ? [] : [chunk.subarray(skipped)];
  });
}

function metering({ sizeBytes, progress }: Download, start: number) {
  let sample: Sample = { bytes: start, atMs: performance.now(), rateBytesPerS: null };
  let toldAt = -Infinity;
  return {
    at(bytes: number) {
      const now = performance.now();
      sample = nextSample(sample, bytes, now);
      if (now - toldAt < LEAST_INTERVAL_MS) return;
      toldAt = now;
      progress(transfer(bytes, sizeBytes, sample));
    },
    end: (bytes: number) => progress({ ...transfer(bytes, sizeBytes, sample), leftS: 0 }),
  };
}
