// The hands: one performer per step. Each does one thing, is safe to repeat, and says what came of it.
import { rm } from "node:fs/promises";
import { DEVICE_ROUTES } from "@context-edge/protocol";
import { buildPerformers } from "./build-performers.ts";
import { isStale, variantOf } from "./core/built.ts";
import { judgeEngine } from "./core/engine.ts";
import { keptDigests } from "./core/retention.ts";
import type { Candidate } from "./core/state.ts";
import type { Mishap, Performers } from "./core/steps.ts";
import { damagedFile, noSuchFile, unfetched, unproved, WITHDRAWN, wrongBytes } from "./core/complaints.ts";
import { download } from "./effects/download.ts";
import { replaceFile, syncDirectory } from "./effects/durable-file.ts";
import { readEngineHeader } from "./effects/engine-header.ts";
import { examine, measureBaseline } from "./effects/examination.ts";
import { dropStaleImports, takeImport } from "./effects/imports.ts";
import { dropLeftovers, prepareModelDirectory } from "./effects/model-directory.ts";
import { findPublished, publish } from "./effects/publish.ts";
import { holdsStill, observeDisk, pointLink } from "./effects/slots.ts";
import { pause } from "./effects/pause.ts";
import { checkSpace } from "./effects/space.ts";
import { soak } from "./effects/soak.ts";
import { goldenOf, provedVariant, readStatement } from "./effects/statements.ts";
import type { EngineRecords } from "./effects/builds/engine-records.ts";
import type { Tools } from "./ports.ts";

const DONE = { ok: true } as const;
const PAPERS_GONE = "its sealed statement is gone from the disk";
/** A running model that is not ready within this time gives no baseline. */
const BASELINE_READY_MS = 10_000;
/** After a reload that is done when it returns, a service still naming another file is given this long. */
const IDENTITY_GRACE_MS = 15_000;

export function performers(tools: Tools, engines: EngineRecords): Performers {
  const { directory, probe, reloader, log } = tools;
  const refused = (mishap: Mishap) => ({ ok: false, mishap }) as const;
  /** A slot never leads to bytes that are not the verified ones, not even for an instant. */
  const point = async (link: string, { file, digest }: { file: string | null; digest: string | null }) => {
    if (file !== null && digest !== null && !(await holdsStill(tools, file, digest))) {
      return refused(damagedFile(file, "permanent"));
    }
    return (await pointLink(link, file)) ? DONE : refused(noSuchFile(file));
  };

  return {
    ...buildPerformers(tools, engines),

    async begin({ candidate, warrant }, signal) {
      const statement = warrant === "running" ? await readStatement(tools, candidate.digest) : tools.asked().statement;
      if (!statement) return refused(warrant === "running" ? unproved(candidate, PAPERS_GONE) : WITHDRAWN);
      await prepareModelDirectory(directory);
      const disk = await observeDisk(directory, {}, tools.prints);
      await dropLeftovers(directory, [...keptDigests(disk, { is: "nothing", why: "not-named" }), candidate.digest]);
      const published = await findPublished(directory, candidate, signal);
      const full = published === null ? await roomFor(tools, candidate) : null;
      if (full) return refused(full);
      await replaceFile(directory.statement(candidate.digest), JSON.stringify(statement));
      return DONE;
    },

    async fetch({ candidate, clean }, signal) {
      // What a rollback goes back to is usually still here.
      if ((await findPublished(directory, candidate, signal)) !== null) return DONE;
      if (await takeImport(tools.space.ownDir, candidate, directory.partial(candidate.digest))) return DONE;
      const credential = await tools.session.credential(signal);
      if (!credential.ok) {
        const { code, message, nextStep } = credential;
        return refused({ code, message, nextStep, kind: "passing" });
      }
      try {
        return await download({
          line: tools.line,
          reserveBytes: tools.space.reserveBytes,
          url: new URL(DEVICE_ROUTES.artifact(candidate.digest), tools.hubUrl).href,
          credential: credential.credential,
          allowedOrigins: tools.artifactOrigins,
          partPath: directory.partial(candidate.digest),
          clean,
          sizeBytes: candidate.sizeBytes,
          progress: (transfer) => tools.progress(transfer),
          signal,
        });
      } finally {
        tools.progress(null);
      }
    },

    async verify({ candidate, warrant }, signal) {
      const variant = await provedVariant(tools, candidate, warrant);
      if (typeof variant === "string") return refused(unproved(candidate, variant));
      const disk = await observeDisk(directory, {}, tools.prints);
      const held = [disk.current, disk.backup].flatMap((slot) => ("file" in slot ? [slot.file] : []));
      const published = await publish({ directory, candidate, held, signal });
      await rm(`${directory.partial(candidate.digest)}.etag`, { force: true });
      if (published.is === "published") {
        const header = await readEngineHeader(directory.file(published.file));
        const { format } = candidate;
        const unfit = judgeEngine(header, { format, platform: variant.platform }, tools.inventory);
        if (!unfit) return { ok: true, file: published.file };
        // No journal names it, so nobody would ever delete it.
        if (!held.includes(published.file)) await rm(directory.file(published.file), { force: true });
        return refused(unfit);
      }
      if (published.is === "absent") return refused(unfetched(candidate));
      return refused(wrongBytes(candidate, published.actualDigest, published.actualBytes));
    },

    async "ask-leave"({ candidate }, signal) {
      // A switch that could not be followed by a reload is not begun.
      const obstacle = await reloader.obstacle?.(signal);
      if (obstacle) return refused(obstacle);
      return { ok: true, ...(await tools.askLeave(candidate, "activate", signal)) };
    },

    async "measure-baseline"({ running, candidate, file }, signal) {
      // Days may have passed since it was verified, in a hold or outside the window.
      if (!(await holdsStill(tools, file.file, file.digest))) return refused(damagedFile(file.file, "passing"));
      if (!running)
        return { ok: true, measurement: null, note: "first installation: there was nothing to compare with" };
      if (isStale(running, candidate)) {
        return { ok: true, measurement: null, note: "no baseline: the engine before was built for another TensorRT" };
      }
      const { policy } = candidate;
      const of = { digest: running.digest, variant: variantOf(running) };
      const subject = { ...of, policy, readyWithinMs: BASELINE_READY_MS, golden: "skip" } as const;
      return {
        ok: true,
        ...(await measureBaseline({ probe, subject, golden: await goldenOf(tools, candidate.digest), signal })),
      };
    },

    "link-backup": (step) => point(directory.backupLink, step),
    "link-current": (step) => point(directory.currentLink, step),

    async reload({ file, budgetMs }, signal) {
      probe.setOwnRequests(0);
      return reloader.reload({ model: tools.model, file, link: directory.currentLink, budgetMs }, signal);
    },

    async examine({ subject }, signal) {
      const golden = await goldenOf(tools, subject.variant);
      const isCrashing = reloader.isCrashing?.bind(reloader);
      const identityWithinMs = reloader.takes === "at-once" ? IDENTITY_GRACE_MS : subject.readyWithinMs;
      return { ok: true, examination: await examine({ probe, subject, golden, identityWithinMs, isCrashing, signal }) };
    },

    async "cool-down"({ forMs }, signal) {
      await pause(forMs, signal);
      signal.throwIfAborted();
      return DONE;
    },

    async soak({ digest, variant, forMs, policy }, signal) {
      const isCrashing = reloader.isCrashing?.bind(reloader);
      const golden = await goldenOf(tools, variant);
      const mishap = await soak({ probe, digest, forMs, policy, golden, isCrashing, signal });
      return mishap ? refused(mishap) : { ok: true, ownRequests: probe.ownRequests() };
    },

    async withdraw({ candidate }) {
      log.info({ version: candidate.version }, "the manifest no longer asks for this version; stopped before the swap");
      return DONE;
    },

    decline: () => Promise.resolve(DONE),
    repair: () => Promise.resolve(DONE),
    "turn-back": () => Promise.resolve(DONE),
    obey: () => Promise.resolve(DONE),

    async record({ attempt, report }) {
      // Outbox first: what the hub must hear outranks what the page shows. Both know the attempt's id and write it once.
      await tools.outbox.put(attempt.id, report);
      await tools.history.add({ id: attempt.id, started_at: attempt.startedAt, steps: attempt.steps, report });
      return DONE;
    },

    async tidy({ remove, keepDigests }) {
      for (const file of remove) await rm(directory.file(file), { force: true });
      await syncDirectory(directory.path);
      await dropLeftovers(directory, keepDigests);
      return DONE;
    },
  };
}

async function roomFor({ directory, space }: Tools, candidate: Candidate): Promise<Mishap | null> {
  const publishedBytes = await space.published();
  const { ownDir, reserveBytes, budgetBytes } = space;
  await dropStaleImports({ ownDir, now: Date.now(), budgetBytes, publishedBytes });
  return checkSpace({ directory, ownDir, candidate, reserveBytes, budgetBytes, publishedBytes });
}
