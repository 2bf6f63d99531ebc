// Reloads through a host's path unit: a request file with an id goes in, a result file with that id comes out. No privilege needed.
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../errors.ts";
import { pause } from "../pause.ts";
import { reloadFailed, type Reloader } from "./reloader.ts";

const LOOK_EVERY_MS = 200;

/**
 * The host's oneshot reads the id from `restart`, deletes that file first, restarts its own fixed unit and then writes
 * `<id> ok` or `<id> failed <words>` to `result`.
 */
export function systemdPathReloader(requestDir: string): Reloader {
  return {
    takes: "at-once",
    async reload({ budgetMs }, signal) {
      const id = randomUUID();
      const request = join(requestDir, "restart");
      try {
        // Renamed into place: the path unit must never see half an id. Nothing here outlives a reboot, so nothing is synced.
        await rm(`${request}.tmp`, { force: true });
        await writeFile(`${request}.tmp`, `${id}\n`, { flag: "wx", mode: 0o644 });
        await rename(`${request}.tmp`, request);
      } catch (error) {
        return reloadFailed(`the request could not be written: ${describe(error)}`);
      }
      const deadline = performance.now() + budgetMs;
      while (performance.now() < deadline) {
        const result = await readFile(join(requestDir, "result"), "utf8").catch(() => "");
        const [resultId, verdict, ...words] = result.trim().split(/\s+/);
        if (resultId === id)
          return verdict === "ok" ? { ok: true } : reloadFailed("the host's unit failed", words.join(" "));
        await pause(LOOK_EVERY_MS, signal);
        signal.throwIfAborted();
      }
      await rm(request, { force: true });
      return reloadFailed("the host did not answer the restart request; is its path unit enabled?");
    },
  };
}
