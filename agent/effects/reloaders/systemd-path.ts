// Reloads through a host's path unit: a request file with an id goes in, a result file with that id comes out. No privilege needed.
import { randomUUID } from "node:crypto";
import { access, constants, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../errors.ts";
import { pause } from "../pause.ts";
import { notNow, reloadFailed, type Reloader } from "./reloader.ts";
import type { UnitWatch } from "./unit-watch.ts";

const LOOK_EVERY_MS = 200;

/**
 * The host's oneshot reads the id from `restart`, deletes that file first, restarts its own fixed unit and then writes
 * `<id> ok` or `<id> failed <words>` to `result`.
 * @param watch of the unit the host restarts, for crash loops; reading it over D-Bus needs no right
 */
export function systemdPathReloader(requestDir: string, watch?: UnitWatch): Reloader {
  return {
    takes: "at-once",
    ...(watch ? { isCrashing: () => watch.isCrashing() } : {}),
    async obstacle() {
      try {
        await access(requestDir, constants.W_OK);
        return null;
      } catch (error) {
        return notNow(
          `requests to restart the service cannot be written: ${describe(error)}`,
          "Create AGENT_REQUEST_DIR for the agent's user, and enable the host's path unit.",
        );
      }
    },
    async reload({ budgetMs }, signal) {
      const id = randomUUID();
      const request = join(requestDir, "restart");
      try {
        // Renamed into place: the path unit must never see half an id. Not synced: after a power cut everything starts anew.
        await rm(`${request}.tmp`, { force: true });
        await writeFile(`${request}.tmp`, `${id}\n`, { flag: "wx", mode: 0o644 });
        await rename(`${request}.tmp`, request);
      } catch (error) {
        return reloadFailed(`the request could not be written: ${describe(error)}`);
      }
      const deadline = performance.now() + budgetMs;
      while (performance.now() < deadline && !signal.aborted) {
        const result = await readFile(join(requestDir, "result"), "utf8").catch(() => "");
        const [resultId, verdict, ...words] = result.trim().split(/\s+/);
        if (resultId === id) {
          watch?.begin(null);
          return verdict === "ok" ? { ok: true } : reloadFailed("the host's unit failed", words.join(" "));
        }
        await pause(LOOK_EVERY_MS, signal);
      }
      await rm(request, { force: true });
      signal.throwIfAborted();
      return reloadFailed("the host did not answer the restart request; is its path unit enabled?");
    },
  };
}
