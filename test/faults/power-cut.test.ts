// Power cuts: the disk is copied at the moment the agent dies, and what the copy holds is all that the next start has.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviceClock } from "@context-edge/agent/effects/clock.ts";
import { openDocuments } from "@context-edge/agent/effects/documents.ts";
import { type FakeModel, fakeModel } from "@context-edge/agent/testing/fake-model.ts";
import { QUICK_POLICY } from "@context-edge/agent/testing/signing.ts";
import { eventually, type TestDevice, testDevice } from "@context-edge/agent/testing/test-device.ts";
import type { Observed } from "@context-edge/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Cut, CUTS, type CuttableDisk, cuttableDisk, whyNoLoopDisk } from "./cuttable-disk.ts";
import { STRACE } from "./strace.ts";
import { dieAt, type Place, placesOf } from "./system-calls.ts";

const scratch = mkdtempSync(join(tmpdir(), "context-edge-cuts-"));
const obstacle = STRACE === undefined ? "strace is not installed" : await whyNoLoopDisk(scratch);
if (obstacle !== null) process.stderr.write(`SKIPPED: power cuts were not tried: ${obstacle}.\n`);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** `POWER_CUTS=all` cuts at every call, which takes some minutes; otherwise at one of so many, and at every change of a link. */
const EVERY = process.env["POWER_CUTS"] === "all" ? 1 : 5;
/** Time decides nothing here, however busy the machine is. */
const policy = {
  ...QUICK_POLICY,
  cold_start_ms: 30_000,
  request_timeout_ms: 10_000,
  window_ms: 30_000,
  baseline_floor_ms: 60_000,
};
const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" }, 50_000);
const wrong = fakeModel({ version: "v2.3", factor: 3 }, 50_000);

let device: TestDevice;
let disk: CuttableDisk;
beforeEach(async () => {
  device = await testDevice();
  disk = cuttableDisk(scratch, device.dir);
});
afterEach(async () => {
  await disk.eject();
  await device.close();
});

/** A disk on which v2.0 is installed, while the hub offers another version. */
async function onTheEve(model: FakeModel): Promise<() => Promise<void>> {
  await disk.format();
  device.hub.offer(good);
  expect(await device.once()).toBe(true);
  const eve = await disk.eject();
  device.hub.offer(model, { policy });
  const forget = device.hub.remember();
  return async () => {
    forget();
    await disk.insert(eve);
    await powerOn();
  };
}

/** The service starts with the machine, and loads what the link leads to. */
async function powerOn(): Promise<void> {
  await fetch(`${device.inference.url}/v2/repository/models/default/load`, { method: "POST" });
}

const digestOf = (path: string) =>
  createHash("sha256")
    .update(readFileSync(join(device.dir, path)))
    .digest("hex");
/** What a service that starts now would load. */
const current = () => digestOf(readlinkSync(join(device.dir, "current.onnx")));

/** The number of the hub's orders that the disk remembers. */
async function followed(): Promise<number> {
  const trust = { device: "edge-001", hubKeys: [device.hub.hubKey.publicKey] };
  const clock = deviceClock(Date.now, () => performance.now());
  const documents = await openDocuments(join(device.dir, ".agent", "documents.json"), trust, clock);
  return documents.followed().manifest_sequence ?? 0;
}

/** What must be on the disk before anything is mended: a whole model, the old one too, and all that the hub was told. */
async function expectSound(model: FakeModel, when: string): Promise<void> {
  expect([good.digest, model.digest], `${when}: current is one whole file`).toContain(current());
  expect(digestOf("model-v2.0.onnx"), `${when}: the way back is whole`).toBe(good.digest);
  const numbers = device.hub.observed.map(({ manifest_sequence }) => manifest_sequence ?? 0);
  expect(await followed(), `${when}: the sequence never falls`).toBeGreaterThanOrEqual(Math.max(0, ...numbers));
}

interface Ending {
  model: FakeModel;
  outcome: "committed" | "rolled-back";
  serves: FakeModel;
}

/** Both things a cut may leave: sound as they are, and at rest after one start, with the end told once. */
async function expectRecovery(
  { model, outcome, serves }: Ending,
  left: Record<Cut, string>,
  when: string,
  more: (when: string) => void = () => undefined,
): Promise<void> {
  const back = device.hub.remember();
  for (const cut of CUTS) {
    back();
    await disk.insert(left[cut]);
    rmSync(left[cut]);
    await expectSound(model, `${when}, ${cut}`);
    more(`${when}, ${cut}`);
    await powerOn();
    await device.once();
    const last = device.hub.outcomes.at(-1);
    expect(current(), `${when}, ${cut}: settled (${last?.code}: ${last?.message})`).toBe(serves.digest);
    expect(device.inference.served(), `${when}, ${cut}: served`).toBe(serves.digest);
    const told = device.hub.outcomes.filter(({ version }) => version === model.version).map((one) => one.outcome);
    expect(told, `${when}, ${cut}: told once`).toEqual([outcome]);
  }
}

const isLink = ({ call, path }: Place) => call === "symlink" || (call === "rename" && path.startsWith(".current"));

describe.skipIf(obstacle !== null)("a power cut", () => {
  beforeAll(() => process.stdout.write(`power cuts at ${EVERY === 1 ? "every call" : `one call of ${EVERY}`}\n`));

  test("fault 3: at any call that changes the disk leaves the old model or the new one, and one start settles it", async () => {
    const begin = await onTheEve(better);
    await begin();
    const places = await placesOf(device);
    let cuts = 0;
    const chosen = places.filter((place, index) => index % EVERY === 0 || isLink(place));
    expect(chosen.filter(isLink)).toHaveLength(4);
    for (const place of chosen) {
      await begin();
      const when = `cut before ${place.call} ${place.ordinal} (${place.path})`;
      // A run may do with fewer writes of one kind than the one that was looked at.
      if (!(await dieAt(device, place, places))) continue;
      cuts += CUTS.length;
      await expectRecovery({ model: better, outcome: "committed", serves: better }, await disk.cut(), when);
    }
    process.stdout.write(`fault 3: ${cuts} cuts at ${chosen.length} of ${places.length} calls\n`);
    expect(cuts).toBeGreaterThan(chosen.length * CUTS.length * 0.9);
  });

  test.each<Ending>([
    { model: better, outcome: "committed", serves: better },
    { model: wrong, outcome: "rolled-back", serves: good },
  ])("fault 4: after a report was sent, the disk is as far as the report said: $outcome", async (ending) => {
    const begin = await onTheEve(ending.model);
    const isOver = () => device.hub.outcomes.some(({ version }) => version === ending.model.version);
    let reports = 0;
    for (let isLast = false; !isLast && reports < 40; reports += 1) {
      await begin();
      const last = await dieAtReport(reports + 1);
      const left = await disk.cut();
      isLast = isOver();
      await expectRecovery(ending, left, `cut at report ${reports + 1}`, (when) => expectAsFarAs(last, ending, when));
    }
    process.stdout.write(`fault 4: ${reports} reports until ${ending.outcome}, ${reports * CUTS.length} cuts\n`);
    expect(reports).toBeGreaterThan(3);
  });
});

/** Dies when the hub has its n-th report in hand. @returns that report */
async function dieAtReport(ordinal: number): Promise<Observed | undefined> {
  const before = device.hub.observed.length;
  const child = device.spawn();
  const exited = once(child, "exit");
  let arrived = 0;
  device.hub.intercept((request) => {
    if (request.url === "/device/v1/reports") arrived += 1;
    // The hub takes it all the same: it is on the wire.
    if (arrived === ordinal) request.once("end", () => child.kill("SIGKILL"));
    return false;
  });
  await eventually(`report ${ordinal}`, () => device.hub.observed.length >= before + ordinal);
  device.hub.intercept(null);
  await exited;
  return device.hub.observed.at(-1);
}

function expectAsFarAs(report: Observed | undefined, { model, outcome, serves }: Ending, when: string): void {
  const said = report?.models["default"]?.current?.digest;
  const isToldOf = device.hub.outcomes.some(({ version }) => version === model.version);
  if (isToldOf) expect(current(), `${when}: what was told as the end is on the disk`).toBe(serves.digest);
  // On the way to a commit there is no way back: what was said to run is what runs.
  else if (outcome === "committed" && said === model.digest)
    expect(current(), `${when}: what was said to run is on the disk`).toBe(model.digest);
}
