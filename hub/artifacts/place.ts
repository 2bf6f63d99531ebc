// The artifacts' directory is known by a marker that the first start put there: one without it is another directory, such as the mount point of a disk that is not there.
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../problem-error.ts";
import type { Store } from "../store/store.ts";

export interface Place {
  /** @throws ARTIFACT_UNAVAILABLE when this is not the directory that the hub has kept its files in. */
  require(): Promise<void>;
}

/** Not hidden: whoever copies the directory's content by hand shall take it along. */
export const MARKER = "context-edge-artifacts";
const MARK = "artifacts";

/** Makes directory and marker at the very first start, and never again. */
export async function openPlace(dir: string, store: Store): Promise<Place> {
  const file = join(dir, MARKER);
  const id = (await store.marks.read(MARK)) ?? (await settle(dir, file, store));
  return {
    async require() {
      const found = await readFile(file, "utf8").then(
        (text) => text.trim(),
        () => null,
      );
      if (found === id) return;
      const what = found === null ? "is missing" : "is of another hub";
      throw new ProblemError("ARTIFACT_UNAVAILABLE", `${dir} is not where the artifacts are: ${file} ${what}.`, {
        nextStep: `Mount or restore the directory. If the files are lost for good, write ${id} into ${file} and upload them again.`,
      });
    },
  };
}

async function settle(dir: string, file: string, store: Store): Promise<string> {
  const wish = randomUUID();
  // On the disk before the database knows of it: a hub that is killed in between begins anew.
  await mkdir(dir, { recursive: true });
  await writeThrough(file, wish);
  const id = await store.transaction(async (tx) => {
    const other = await tx.marks.read(MARK);
    if (other === undefined) await tx.marks.write(MARK, wish);
    return other ?? wish;
  });
  // Several hubs on one directory start at once: the name that the database took counts.
  if (id !== wish) await writeThrough(file, id);
  return id;
}

/** A line, on the disk when this resolves. */
export async function writeThrough(file: string, line: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    await handle.writeFile(`${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
