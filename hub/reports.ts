// Device reports: news is gathered for a moment and written before the receipt; a mere heartbeat stays in memory and is written now and then.
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Observed, Report, ReportReceipt } from "@context-edge/protocol";
import type { Change, Changes } from "./changes.ts";
import { errorsOf, stepsOf } from "./core/heartbeat.ts";
import { type Newest, type NewestReports, steadyDigest } from "./newest.ts";
import { hearTestimony } from "./quarantine.ts";
import { heedReplay } from "./restored.ts";
import type { DeviceRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface ReportDesk {
  /** Resolves when outcomes and news are durable; how far an attempt has come is no news, see core/heartbeat.ts. */
  take(deviceId: string, report: Report): Promise<ReportReceipt>;
  /** Writes the newest heartbeat of devices that fell silent, or of all. */
  flush(which: "silent" | "all"): Promise<void>;
  /** Devices with a report that is taken, but not yet written. */
  waiting(): number;
}

export interface Desk {
  changes: Changes;
  store: Store;
  newest: NewestReports;
  /** A device that reports nothing new is written no more often than this. 0: every report is written, as several hubs need it. */
  heartbeatWriteMs: number;
  /** How long news is gathered before it is written together. */
  gatherMs?: number;
  now: () => number;
  /** Told which devices have news, once it is durable, or whose attempt has come further. */
  afterBatch: (deviceIds: ReadonlySet<string>) => void;
  /** Told each newer state with the one before; null when that is not known for certain. Must not wait. */
  onObserved: (device: { id: string; group: string }, before: Observed | null, after: Observed) => void;
}

interface Waiting {
  deviceId: string;
  report: Report;
  resolve: (receipt: ReportReceipt) => void;
  reject: (error: unknown) => void;
}

const GATHER_MS = 25;
/** In one transaction: more would hold up everyone else for longer than a few milliseconds. */
const MOST_AT_ONCE = 16;
/** Errors that rose, because gates decide on them, and steps of an attempt under way, because deadlines do, are written sooner. */
const SOON_WRITE_MS = 300_000;
const SILENT_MS = 180_000;
/** After these the store knows better than the memory. */
const STRANGE = new Set(["device.enrolled", "device.decommissioned", "device.revoked", "device.dead"]);

export function openReportDesk(desk: Desk): ReportDesk {
  const { changes, store, newest, now, gatherMs = GATHER_MS } = desk;
  let batch: Waiting[] = [];
  /** Devices with a report on its way to the disk: what they say next must come after it. */
  const writing = new Map<string, number>();
  let heard = new Set<string>();
  /** Of those, whose attempt has come further. */
  let advanced = new Set<string>();

  changes.listen((notice) => {
    if (notice.kind !== "event") return;
    const { kind, subject, data } = notice.event;
    if (STRANGE.has(kind)) newest.forget(subject);
    if (kind === "device.moved" && typeof data["to"] === "string") newest.moved(subject, data["to"]);
  });

  const write = async () => {
    const taken = batch;
    batch = [];
    for (let start = 0; start < taken.length; start += MOST_AT_ONCE) {
      await writeSlice(taken.slice(start, start + MOST_AT_ONCE));
      await yieldToOthers();
    }
  };
  const writeSlice = async (slice: readonly Waiting[]) => {
    try {
      const applied = await changes.make("devices", async (change) => {
        const results: Applied[] = [];
        for (const { deviceId, report } of slice) results.push(await apply(change, deviceId, report));
        return results;
      });
      for (const { device, before } of applied) if (device) learn(desk, device, before);
      for (const [index, { resolve }] of slice.entries()) resolve(applied[index]?.receipt ?? { accepted_through: 0 });
      desk.afterBatch(new Set(slice.map(({ deviceId }) => deviceId)));
    } catch (error) {
      for (const { reject } of slice) reject(error);
    } finally {
      for (const { deviceId } of slice) {
        const left = (writing.get(deviceId) ?? 1) - 1;
        if (left > 0) writing.set(deviceId, left);
        else writing.delete(deviceId);
      }
    }
  };

  const tellHeard = () => {
    const [devices, further] = [heard, advanced];
    [heard, advanced] = [new Set(), new Set()];
    changes.touch({ devices });
    if (further.size > 0) desk.afterBatch(further);
  };

  return {
    waiting: () => writing.size,
    take(deviceId, report) {
      const known = newest.of(deviceId);
      const { observed } = report;
      if (known && !writing.has(deviceId) && isMereHeartbeat(desk, known, report)) {
        if (observed && observed.number > known.number) {
          newest.heard(deviceId, observed.number, observed.state, now());
          desk.onObserved({ id: deviceId, group: known.group }, known.observed, observed.state);
          if (heard.size === 0) setTimeout(tellHeard, gatherMs);
          heard.add(deviceId);
          if (stepsOf(known.observed) !== stepsOf(observed.state)) advanced.add(deviceId);
        }
        return Promise.resolve({ accepted_through: known.outcomeNumber });
      }
      return new Promise((resolve, reject) => {
        batch.push({ deviceId, report, resolve, reject });
        writing.set(deviceId, (writing.get(deviceId) ?? 0) + 1);
        if (batch.length === 1) setTimeout(() => void write(), gatherMs);
      });
    },
    async flush(which) {
      const due = [...newest.entries()].filter(
        ([, { number, stored, heardMs }]) =>
          number > stored.number && (which === "all" || now() - heardMs >= SILENT_MS),
      );
      for (let start = 0; start < due.length; start += MOST_AT_ONCE) {
        const written = await store.transaction(async (tx) => {
          const devices: DeviceRecord[] = [];
          for (const [id, { outbox }] of due.slice(start, start + MOST_AT_ONCE)) {
            const device = await tx.devices.find(id);
            if (device?.outbox !== outbox) continue;
            await tx.devices.saveReport(id, reportPart(device));
            devices.push(device);
          }
          return devices;
        });
        for (const device of written) newest.stored(device, now());
        await yieldToOthers();
      }
    },
  };
}

function isMereHeartbeat(desk: Desk, { outbox, number, stored }: Newest, report: Report): boolean {
  if (desk.heartbeatWriteMs === 0 || report.outcomes.length > 0 || report.outbox !== outbox) return false;
  const { observed } = report;
  if (observed === null || observed.number <= number) return true;
  const age = desk.now() - stored.atMs;
  if (age >= desk.heartbeatWriteMs) return false;
  const isBehind = () => errorsOf(observed.state) !== stored.errors || stepsOf(observed.state) !== stored.steps;
  if (age >= SOON_WRITE_MS && isBehind()) return false;
  return steadyDigest(observed.state) === stored.steady;
}

/** After a restart the store's state may be hours old, or cover what was counted before: a difference would count twice. */
function learn(desk: Desk, device: DeviceRecord, before: Observed | null): void {
  const isCertain = desk.heartbeatWriteMs === 0 || desk.newest.of(device.id) !== undefined;
  desk.newest.stored(device, desk.now());
  if (device.observed && device.observed !== before)
    desk.onObserved({ id: device.id, group: device.group_name }, isCertain ? before : null, device.observed);
}

interface Applied {
  receipt: ReportReceipt;
  device: DeviceRecord | undefined;
  before: Observed | null;
}

async function apply(change: Change, deviceId: string, report: Report): Promise<Applied> {
  const { tx, touched, tell } = change;
  const device = await tx.devices.find(deviceId);
  if (!device) return { receipt: { accepted_through: 0 }, device: undefined, before: null };
  // A new outbox starts its numbers again; what an old one still sends afterwards changes nothing that is shown.
  const isNewOutbox = device.outbox !== report.outbox;
  let outcomeNumber = isNewOutbox ? 0 : device.outcome_number;
  const lastOutcomes = { ...device.last_outcomes };

  for (const { number, report: outcome } of report.outcomes.toSorted((a, b) => a.number - b.number)) {
    const told = { device_id: deviceId, outbox: report.outbox, number };
    outcomeNumber = Math.max(outcomeNumber, number);
    if (await tx.outcomes.isKnown(told)) continue;
    lastOutcomes[outcome.model] = outcome;
    const known = await tx.deployments.find(outcome.deployment_id);
    if (known) touched.deployments.add(known.id);
    await hearTestimony(change, device, outcome);
    const event = await tell(
      `device.${outcome.outcome}`,
      deviceId,
      `${deviceId}: ${outcome.version} ${outcome.outcome}${outcome.code === "OK" ? "" : ` (${outcome.code}): ${outcome.message}`}`,
      { device_id: deviceId, deployment_id: outcome.deployment_id, known_deployment: known !== undefined, outcome },
    );
    await tx.outcomes.insert({ ...told, report: outcome }, event);
  }
  if (device.dead_since !== undefined) {
    await tx.retention.setDead(deviceId, null);
    await tell("device.back", deviceId, `${deviceId} is heard of again; it was silent since ${device.dead_since}`);
  }

  const { observed } = report;
  const isNewer = observed !== null && (isNewOutbox || observed.number > device.observed_number);
  const { dead_since: _since, ...alive } = device;
  const after: DeviceRecord = {
    ...alive,
    outbox: report.outbox,
    outcome_number: outcomeNumber,
    observed_number: isNewer ? observed.number : device.observed_number,
    observed: isNewer ? observed.state : device.observed,
    last_outcomes: lastOutcomes,
  };
  await tx.devices.saveReport(deviceId, reportPart(after));
  if (isNewer) await heedReplay(change, device, observed.state);
  touched.devices.add(deviceId);
  touched.groups.add(device.group_name);
  return { receipt: { accepted_through: outcomeNumber }, device: after, before: device.observed };
}

function reportPart({ outbox, outcome_number, observed_number, observed, last_outcomes }: DeviceRecord) {
  return { outbox, outcome_number, observed_number, observed, last_outcomes };
}
