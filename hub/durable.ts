// What makes a file that was written stay: its bytes and its name are on the disk when these return.
import { chown, open, stat } from "node:fs/promises";
import { dirname } from "node:path";

export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new name, or one that is gone, is durable only once its directory is. */
export const syncDirectory = (dir: string): Promise<void> => syncFile(dir);

/** What root makes in the hub's directory, the hub must be able to open. */
export async function giveToOwnerOfItsDirectory(file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(file));
  await chown(file, uid, gid);
}
