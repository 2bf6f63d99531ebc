// Reloads through a host's path unit: a request file with an id goes in, a result file with that id comes out. No privilege needed.
import { randomUUID } from "node:crypto";
import { access, constants, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, errnoOf } from "../../errors.ts";
import { pause } from "../pause.ts";
import { notNow, type Reloaded, type Reloader, reloaderOff, reloadFailed } from "./reloader.ts";
import type { UnitWatch } from "./unit-watch.ts";

const LOOK_EVERY_MS = 200;
/** Asking systemd costs more than looking at a file. */
const WATCH_EVERY_MS = 2_000;
const DIRECTORY_STEP =
  "Create the directory AGENT_REQUEST_DIR names for the agent's user, and let the host's path unit watch the same one.";

/**
 * The host's oneshot reads the id from `restart`, deletes that file first, restarts its own fixed unit and then writes
 * `<id> ok` or `<id> failed <words>` to `result`.
 * @param watch the host's unit, where a bus can be read: reading needs no right
 */
export function systemdPathReloader(requestDir: string, watch?: UnitWatch): Reloader {
  const request = join(requestDir, "restart");

  const answered = async (id: string, deadline: number, signal: AbortSignal): Promise<Reloaded> => {
    let watchAt = Infinity;
    for (;;) {
      const result = await readFile(join(requestDir, "result"), "utf8").catch(() => "");
      // The answer to a request that was given up may come late: only our own id counts.
      const [resultId, verdict, ...words] = result.trim().split(/\s+/);
      if (resultId === id) {
        watch?.restarted();
        if (verdict === "ok") return { ok: true };
        return reloadFailed("the unit was not restarted", words.join(" "));
      }
      const now = performance.now();
      if (now >= deadline) {
        const isTaken = !(await isThere(request));
        return isTaken
          ? reloadFailed("the host took the restart request and was not done in time")
          : reloaderOff(
              "the host did not answer the restart request; is its path unit enabled?",
              `On the host: systemctl enable --now context-edge-restart.path; it must watch ${request}.`,
            );
      }
      if (watch) {
        // Before the host took the request, what systemd tells is still of the process that shall be replaced.
        if (watchAt === Infinity && !(await isThere(request))) watchAt = now + WATCH_EVERY_MS;
        const crash = now >= watchAt ? await watch.isCrashing(signal) : null;
        if (crash !== null) return reloadFailed(crash);
        if (now >= watchAt) watchAt = now + WATCH_EVERY_MS;
      }
      await pause(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  };

  return {
    takes: "at-once",
    async obstacle() {
      try {
        await access(requestDir, constants.W_OK);
        return null;
      } catch (error) {
        return notNow(
          `requests to restart the service cannot be written: ${whyNot(requestDir, error)}`,
          DIRECTORY_STEP,
        );
      }
    },
    async reload({ budgetMs }, signal) {
      const id = randomUUID();
      const deadline = performance.now() + budgetMs;
      try {
        // Renamed into place: the path unit must never see half an id. Nothing here outlives a reboot, so nothing is synced.
        await rm(`${request}.tmp`, { force: true });
        await writeFile(`${request}.tmp`, `${id}\n`, { flag: "wx", mode: 0o644 });
        await rename(`${request}.tmp`, request);
      } catch (error) {
        return reloaderOff(`the request could not be written: ${whyNot(requestDir, error)}`, DIRECTORY_STEP);
      }
      try {
        return await answered(id, deadline, signal);
      } finally {
        // Nobody waits for it any more: a host that wakes up later must not restart for nothing.
        const waiting = await readFile(request, "utf8").catch(() => "");
        if (waiting.trim() === id) await rm(request, { force: true }).catch(() => undefined);
      }
    },
    ...(watch ? { isCrashing: (signal: AbortSignal) => watch.isCrashing(signal) } : {}),
  };
}

const isThere = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    () => false,
  );

function whyNot(requestDir: string, error: unknown): string {
  return errnoOf(error) === "ENOENT" ? `the request directory ${requestDir} is not there` : describe(error);
}
