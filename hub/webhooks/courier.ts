// Telling people: events become deliveries, each once, in one transaction with the mark up to which they were read; deliveries are posted until they arrive or a day has passed.
import { createHash } from "node:crypto";
import type { Event } from "@context-edge/protocol";
import type { Logger } from "pino";
import type { Changes } from "../changes.ts";
import { announcementsOf, bodyOf, wants, type Announcement } from "../core/announcements.ts";
import { fateOf } from "../core/delivery.ts";
import type { Fleet } from "../fleet.ts";
import type { Presence } from "../presence.ts";
import type { Repositories, Store } from "../store/store.ts";
import type { DeliveryRecord, WebhookRecord } from "../store/webhooks.ts";
import { tellAbsences } from "./absences.ts";
import type { Post } from "./post.ts";

export interface Courier {
  /** Looks at once instead of at the next round. */
  wake(): void;
  stop(): Promise<void>;
}

interface Settings {
  store: Store;
  fleet: () => Promise<Fleet>;
  changes: Changes;
  presence: Presence;
  post: Post;
  /** Of several hubs on one database only one tells. */
  isLeader: () => boolean;
  offlineAfterSeconds: number;
  /** Where people reach the dashboard; no link without it. */
  publicUrl: string | undefined;
  now: () => number;
  /** 0 to 1. */
  random: () => number;
  log: Pick<Logger, "error" | "warn">;
}

const ROUND_MS = 1_000;
const ABSENCES_EVERY = 10;
const PRUNE_EVERY = 3_600;
const KEEP_MS = 30 * 86_400_000;
const EVENTS_PER_ROUND = 200;
/** Far below what is kept of deliveries, by which repetitions are known. */
const OLDEST_NEWS_MS = 7 * 86_400_000;
const EVENTS_UNWRITTEN = 1_000;
const MARK = "announced";

export function startCourier(settings: Settings): Courier {
  const { store, changes, isLeader, now, log } = settings;
  const stop = new AbortController();
  const under = new Map<string, Promise<void>>();
  let ring: () => void = () => undefined;
  const reader: Reader = { through: undefined, written: 0 };
  let rounds = 0;

  const round = async () => {
    if (!isLeader()) {
      // Whoever leads meanwhile moves the mark.
      reader.through = undefined;
      return;
    }
    if (rounds % ABSENCES_EVERY === 0) await tellAbsences(settings);
    if (rounds % PRUNE_EVERY === 0) {
      await store.transaction((tx) => tx.deliveries.prune(new Date(now() - KEEP_MS).toISOString()));
    }
    rounds += 1;
    while (await announce(settings, reader)) if (stop.signal.aborted) return;
    for (const hook of await store.webhooks.list()) {
      // One at a time per hook keeps the order; a slow receiver delays nobody else.
      if (!hook.enabled || under.has(hook.id)) continue;
      const work = serve(settings, hook, stop.signal)
        .catch((error: unknown) => log.error({ err: error, webhook: hook.id }, "a webhook could not be served"))
        .finally(() => under.delete(hook.id));
      under.set(hook.id, work);
    }
  };

  let isRung = false;
  const loop = (async () => {
    while (!stop.signal.aborted) {
      isRung = false;
      await round().catch((error: unknown) => log.error({ err: error }, "telling people failed and is tried again"));
      if (isRung) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ROUND_MS);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stop.signal.aborted) ring();
      });
    }
  })();
  const wake = () => {
    isRung = true;
    ring();
  };
  const forget = changes.listen((notice) => {
    if (notice.kind === "event" && announcementsOf(notice.event).length > 0) wake();
  });

  return {
    wake,
    async stop() {
      forget();
      stop.abort();
      ring();
      await loop;
      await Promise.all(under.values());
    },
  };
}

/** How far the history was read. Written only with deliveries, or after many events: reading some again makes nothing twice. */
interface Reader {
  through: number | undefined;
  written: number;
}

/** @returns whether there may be more. */
async function announce({ store, publicUrl, offlineAfterSeconds, now }: Settings, reader: Reader): Promise<boolean> {
  if (reader.through === undefined) {
    reader.written = Number((await store.marks.read(MARK)) ?? 0);
    reader.through = reader.written;
  }
  const events = await store.events.after(reader.through, EVENTS_PER_ROUND);
  const last = events.at(-1);
  if (!last) return false;
  const told = events.flatMap((event) => announcementsOf(event).map((one) => ({ event, one })));
  const hooks = told.length === 0 ? [] : await store.webhooks.list();
  const oldest = new Date(now() - OLDEST_NEWS_MS).toISOString();
  const orders = told
    .filter(({ one }) => one.at >= oldest)
    .flatMap(({ event, one }) =>
      hooks.filter((hook) => wants(hook, one, offlineAfterSeconds)).map((hook) => ({ event, one, hook })),
    );
  if (orders.length > 0 || last.id - reader.written >= EVENTS_UNWRITTEN) {
    const at = new Date(now()).toISOString();
    await store.transaction(async (tx) => {
      for (const { event, one, hook } of orders) {
        // Removed a moment ago, perhaps.
        if (await tx.webhooks.find(hook.id)) await enqueue(tx, hook, one, { eventId: nameOf(event), publicUrl, at });
      }
      await tx.marks.write(MARK, String(last.id));
    });
    reader.written = last.id;
  }
  reader.through = last.id;
  return events.length === EVENTS_PER_ROUND;
}

/**
 * The same whenever this event is read again, and another one than that of any event that had its number before a backup was
 * restored: receivers drop what has an id they know.
 */
function nameOf({ id, at, kind, actor, subject, summary, data }: Event): string {
  const content = JSON.stringify([at, kind, actor, subject, summary, data]);
  return `${id}_${createHash("sha256").update(content).digest("hex").slice(0, 12)}`;
}

export async function enqueue(
  tx: Pick<Repositories, "deliveries">,
  hook: Pick<WebhookRecord, "id" | "format">,
  told: Announcement,
  { eventId, publicUrl, at }: { eventId: string; publicUrl: string | undefined; at: string },
): Promise<void> {
  const link = publicUrl === undefined ? null : new URL(told.path, publicUrl).href;
  await tx.deliveries.insert({
    webhook_id: hook.id,
    message_id: `msg_${eventId}_${told.kind.replaceAll(".", "-")}`,
    kind: told.kind,
    body: JSON.stringify(bodyOf(hook.format, told, link)),
    created_at: at,
  });
}

/** Everything of one hook that is due, one after another, until one has to wait. */
async function serve(settings: Settings, hook: WebhookRecord, signal: AbortSignal): Promise<void> {
  const { store, now } = settings;
  while (!signal.aborted && settings.isLeader()) {
    const due = await store.deliveries.next(hook.id, new Date(now()).toISOString());
    if (due.length === 0) return;
    for (const delivery of due) {
      if (signal.aborted) return;
      await tryOnce(settings, hook, delivery, signal);
    }
  }
}

async function tryOnce(
  { store, post, now, random, log }: Settings,
  hook: WebhookRecord,
  delivery: DeliveryRecord,
  signal: AbortSignal,
): Promise<void> {
  const { message_id: id, body, number } = delivery;
  const tried = await post({ id, url: hook.url, secret: hook.secret, body, atMs: now() }, signal);
  // Cut off by our own end: that was no try, the next start makes it.
  if (signal.aborted && tried.kind === "failed") return;
  const tries = delivery.tries + 1;
  const fate = fateOf(tried, { createdMs: Date.parse(delivery.created_at), tries, nowMs: now(), jitter: random() });
  await store.transaction((tx) =>
    tx.deliveries.update(hook.id, number, {
      state: fate.state,
      aside: fate.aside,
      tries,
      next_at: fate.nextMs === null ? null : new Date(fate.nextMs).toISOString(),
      last_at: new Date(now()).toISOString(),
      last_status: tried.kind === "answered" ? tried.status : null,
      last_error: tried.kind === "failed" ? tried.error : null,
    }),
  );
  if (fate.state === "given-up")
    log.warn({ webhook: hook.id, message: id, tries }, "a webhook's delivery was given up");
}
