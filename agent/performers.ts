// The hands: one performer per step. Each does one thing, is safe to repeat, and says what came of it.
import { readFile, rm } from "node:fs/promises";
import {
  DEVICE_ROUTES,
  Envelope,
  type Golden,
  openEnvelope,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
} from "@context-edge/protocol";
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
import { observeDisk, pointLink } from "./effects/slots.ts";
import { pause } from "./effects/pause.ts";
import { checkSpace } from "./effects/space.ts";
import { soak } from "./effects/soak.ts";
import type { Tools } from "./ports.ts";

const DONE = { ok: true } as const;
/** A running model that is not ready within this time gives no baseline. */
const BASELINE_READY_MS = 10_000;
/** After a reload that is done when it returns, a service still naming another file is given this long. */
const IDENTITY_GRACE_MS = 15_000;

export function performers(tools: Tools): Performers {
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
    async begin({ candidate }, signal) {
      const { statement } = tools.asked();
      if (!statement) return refused(WITHDRAWN);
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

    async verify({ candidate }, signal) {
      const statement = await sealedStatement(tools, candidate);
      if (typeof statement === "string") return refused(unproved(candidate, statement));
      const disk = await observeDisk(directory, {}, tools.prints);
      const held = [disk.current, disk.backup].flatMap((slot) => ("file" in slot ? [slot.file] : []));
      const published = await publish({ directory, candidate, held, signal });
      await rm(`${directory.partial(candidate.digest)}.etag`, { force: true });
      if (published.is === "published") {
        const variant = statement.variants.find(({ digest }) => digest === candidate.digest);
        const header = await readEngineHeader(directory.file(published.file));
        const { format } = candidate;
        const unfit = judgeEngine(header, { format, platform: variant?.platform ?? {} }, tools.inventory);
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
      return { ok: true, ...(await tools.askLeave(candidate, signal)) };
    },

    async "measure-baseline"({ running, candidate, file }, signal) {
      // Days may have passed since it was verified, in a hold or outside the window.
      if (!(await holdsStill(tools, file, candidate.digest))) return refused(damagedFile(file, "passing"));
      if (!running)
        return { ok: true, measurement: null, note: "first installation: there was nothing to compare with" };
      const { policy } = candidate;
      const subject = { digest: running.digest, policy, readyWithinMs: BASELINE_READY_MS, golden: "skip" } as const;
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
      const golden = await goldenOf(tools, subject.digest);
      const isCrashing = reloader.isCrashing?.bind(reloader);
      const identityWithinMs = reloader.takes === "at-once" ? IDENTITY_GRACE_MS : subject.readyWithinMs;
      return { ok: true, examination: await examine({ probe, subject, golden, identityWithinMs, isCrashing, signal }) };
    },

    async "cool-down"({ forMs }, signal) {
      await pause(forMs, signal);
      signal.throwIfAborted();
      return DONE;
    },

    async soak({ digest, forMs, policy }, signal) {
      const isCrashing = reloader.isCrashing?.bind(reloader);
      const golden = await goldenOf(tools, digest);
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

/** Reads it again only when the inode says that something was changed. */
async function holdsStill({ directory, prints }: Tools, file: string, digest: string): Promise<boolean> {
  const now = await prints.of(directory.file(file)).catch(() => null);
  return now?.digest === digest;
}

async function roomFor({ directory, space }: Tools, candidate: Candidate): Promise<Mishap | null> {
  const publishedBytes = await space.published();
  const { ownDir, reserveBytes, budgetBytes } = space;
  await dropStaleImports({ ownDir, now: Date.now(), budgetBytes, publishedBytes });
  return checkSpace({ directory, ownDir, candidate, reserveBytes, budgetBytes, publishedBytes });
}

/** Both signatures once more, from the disk: the release key's over this digest and size, the hub's over this offer. */
async function sealedStatement(tools: Tools, candidate: Candidate): Promise<Statement | string> {
  const envelope = await readStatement(tools, candidate.digest);
  if (!envelope) return "its sealed statement is gone from the disk";
  const schema = { payloadType: STATEMENT_PAYLOAD_TYPE, keys: tools.releaseKeys, schema: Statement };
  const opened = openEnvelope(envelope, schema);
  if (!opened.ok) return `its statement does not open (${opened.problem})`;
  const isNamed = opened.value.variants.some(
    (variant) => variant.digest === candidate.digest && variant.size_bytes === candidate.sizeBytes,
  );
  if (!isNamed) return "its statement does not name this file";
  return tools.documents.covers(envelope) ? opened.value : "the hub's manifest does not offer it";
}

async function readStatement({ directory }: Tools, digest: string): Promise<Envelope | null> {
  try {
    const parsed = Envelope.safeParse(JSON.parse(await readFile(directory.statement(digest), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Verified like everything else: golden answers decide whether a model stays. */
async function goldenOf(tools: Tools, digest: string): Promise<Golden | null> {
  const envelope = await readStatement(tools, digest);
  const schema = { payloadType: STATEMENT_PAYLOAD_TYPE, keys: tools.releaseKeys, schema: Statement };
  const opened = openEnvelope(envelope, schema);
  return opened.ok ? (opened.value.golden ?? null) : null;
}
