// sha256 of what the disk really holds, remembered for as long as the inode says the file is the same.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads through the handle, so that what was hashed is this inode and not whatever the name points to later. The next
 * piece is read while this one is hashed, in two buffers that take turns: memory stays the same at any size.
 */
export async function hashHandle(handle: FileHandle, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  let [filling, hashing] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  let reading = handle.read(filling, 0, CHUNK_BYTES, 0);
  for (let position = 0; ;) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return hash.digest("hex");
    signal?.throwIfAborted();
    [filling, hashing] = [hashing, filling];
    position += bytesRead;
    reading = handle.read(filling, 0, CHUNK_BYTES, position);
    hash.update(hashing.subarray(0, bytesRead));
  }
}

/** A link in the place of the file is refused, not followed. */
export function openRegular(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}

export interface Fingerprints {
  /** @returns sha256 and size of the file; hashes only when the inode, its size or its times changed. */
  of(path: string): Promise<{ digest: string; sizeBytes: number }>;
}

export function fingerprints(): Fingerprints {
  const known = new Map<string, { stamp: string; digest: string; sizeBytes: number }>();
  return {
    async of(path) {
      const handle = await openRegular(path);
      try {
        const stat = await handle.stat({ bigint: true });
        const stamp = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
        const before = known.get(path);
        if (before?.stamp === stamp) return before;
        const found = { stamp, digest: await hashHandle(handle), sizeBytes: Number(stat.size) };
        known.set(path, found);
        return found;
      } finally {
        await handle.close();
      }
    },
  };
}
