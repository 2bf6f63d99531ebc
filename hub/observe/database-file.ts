// Is the database's file still the one that is open? One that was moved or deleted goes on taking writes, and nobody will find them.
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";

export interface DatabaseFile {
  /** @throws with words for the log when the file's name leads elsewhere, or nowhere. */
  requireInPlace(): Promise<void>;
}

/** @param file undefined where the database is a server's. To be called right after opening it. */
export function rememberDatabaseFile(file: string | undefined): DatabaseFile {
  if (file === undefined) return { requireInPlace: () => Promise.resolve() };
  const opened = statSync(file);
  return {
    async requireInPlace() {
      const now = await stat(file).catch(() => null);
      if (now?.ino === opened.ino && now.dev === opened.dev) return;
      const what = now ? "is another file now" : "is gone";
      throw new Error(
        `${file} ${what}: what is written goes where no restart finds it. Put it back, or restart the hub.`,
      );
    },
  };
}
