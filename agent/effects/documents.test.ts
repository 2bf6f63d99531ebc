// The papers on disk, with the clock in the test's hands: freeze, fast-forward, a hub whose clock was wrong, and the way back from each.
import { join } from "node:path";
import { seal, MANIFEST_PAYLOAD_TYPE } from "@context-edge/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { wishOf } from "../core/wish.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { sealAssignment, sealManifest, targetOf, testKey } from "../testing/signing.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { deviceClock } from "./clock.ts";
import { type Documents, openDocuments } from "./documents.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const LIFE_MS = 7 * DAY_MS;
const TODAY = Date.UTC(2027, 5, 1);

const hub = testKey();
const release = testKey();
const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });

let path: string;
/** The machine's clock, and the time since it was switched on. */
let wall: number;
let uptime: number;
beforeEach(async () => {
  path = join(await tempDir(), "documents.json");
  wall = TODAY;
  uptime = 0;
});

const open = () =>
  openDocuments(
    path,
    { device: "edge-001", hubKeys: [hub.publicKey] },
    deviceClock(
      () => wall,
      () => uptime,
    ),
  );
const passes = (ms: number) => {
  wall += ms;
  uptime += ms;
};
/** As a hub seals it whose clock shows this. @param sequence where it is not the time */
const manifestOf = (at: number, model = good, sequence = at, group = "pilot") =>
  sealManifest(sequence, [targetOf(model, release)], hub, {
    group,
    issued_at: new Date(at).toISOString(),
    expires_at: new Date(at + LIFE_MS).toISOString(),
  });
const assignmentOf = (at: number, group = "pilot") =>
  sealAssignment(at, "edge-001", group, hub, null, new Date(at).toISOString());

/** A device that follows the hub of this time. */
async function following(at: number): Promise<Documents> {
  const documents = await open();
  expect(await documents.offerAssignment(assignmentOf(at))).toBe(null);
  expect(await documents.offerManifest(manifestOf(at), '"1"')).toBe(null);
  return documents;
}
const wished = (documents: Documents) => {
  const inventory = { agent_version: "test", arch: "arm64" };
  const { wish } = wishOf({
    manifest: documents.manifest(),
    model: "default",
    device: "edge-001",
    inventory,
    releaseKeys: [release.publicKey],
    now: documents.now(),
  });
  return wish.is === "nothing" ? wish.why : wish.candidate.version;
};

describe("freeze: an attacker who can only repeat the last good manifest", () => {
  test("keeps the device where it is until the manifest expires; from then on nothing is installed from it", async () => {
    const documents = await following(TODAY);
    passes(LIFE_MS - 1);
    expect(await documents.offerManifest(manifestOf(TODAY), null)).toBe(null);
    expect(wished(documents)).toBe("v2.0");
    passes(1);
    expect(await documents.offerManifest(manifestOf(TODAY), null)).toMatchObject({ code: "MANIFEST_EXPIRED" });
    expect(wished(documents)).toBe("expired");
    expect(await (await open()).offerManifest(manifestOf(TODAY - HOUR_MS), null)).toMatchObject({
      code: "MANIFEST_REPLAYED",
    });
  });

  test("does not gain a day from a clock that falls back to 1970 at a reboot", async () => {
    await following(TODAY);
    wall = 0;
    uptime = 0;
    const rebooted = await open();
    expect(wished(rebooted)).toBe("v2.0");
    passes(LIFE_MS);
    expect(wished(rebooted)).toBe("expired");
  });
});

describe("fast-forward: the hub's key in wrong hands, or its clock far ahead", () => {
  test("2^53-1 is refused, and the next ordinary orders are followed", async () => {
    const documents = await following(TODAY);
    expect(await documents.offerManifest(manifestOf(TODAY, better, Number.MAX_SAFE_INTEGER), null)).toMatchObject({
      code: "MANIFEST_FAR_AHEAD",
    });
    passes(HOUR_MS);
    expect(await documents.offerManifest(manifestOf(wall, better), null)).toBe(null);
    expect(wished(await open())).toBe("v2.1");
  });

  test("a device that stands in 1970 follows a hub years after its agent was built", async () => {
    wall = 0;
    const documents = await following(TODAY + 9 * YEAR_MS);
    expect(wished(documents)).toBe("v2.0");
    expect(documents.followed().manifest_sequence).toBe(TODAY + 9 * YEAR_MS);
  });

  test.each([
    ["a day", DAY_MS],
    ["a year, longer than any manifest lives", YEAR_MS],
    ["nine years", 9 * YEAR_MS],
  ])("after %s ahead, the hub's next number with a true date is followed at once", async (_what, aheadMs) => {
    const documents = await following(TODAY + aheadMs);
    const { manifest_sequence: manifest, assignment_sequence: assignment } = documents.followed();
    expect([manifest, assignment]).toEqual([TODAY + aheadMs, TODAY + aheadMs]);
    passes(HOUR_MS);
    expect(await documents.offerManifest(manifestOf(wall, better), null)).toMatchObject({ code: "MANIFEST_REPLAYED" });
    // The hub goes past what the device says it follows. An assignment is dated by its number, so that date is ahead too.
    expect(await documents.offerAssignment(assignmentOf(TODAY + aheadMs + 1))).toBe(null);
    expect(await documents.offerManifest(manifestOf(wall, better, TODAY + aheadMs + 1), null)).toBe(null);
    expect(wished(documents)).toBe("v2.1");
    expect(wished(await open())).toBe("v2.1");
    // What a person reads as the time is true again where the manifest would have expired otherwise.
    if (aheadMs > LIFE_MS) expect((await open()).now()).toBe(wall);
  });

  test("a date as late as there is does not make everything after it look expired", async () => {
    const documents = await following(TODAY);
    const last = { issued_at: "9999-12-31T23:59:59.999Z", expires_at: "9999-12-31T23:59:59.999Z" };
    const forged = seal(
      MANIFEST_PAYLOAD_TYPE,
      { schema: 1, group: "pilot", sequence: TODAY + 1, ...last, models: [] },
      hub,
    );
    expect(await documents.offerManifest(forged, null)).toMatchObject({ code: "MANIFEST_FAR_AHEAD" });
    expect(await documents.offerManifest(manifestOf(TODAY + 2, better), null)).toBe(null);
    expect(documents.now()).toBeLessThan(TODAY + DAY_MS);
  });
});

describe("forget", () => {
  test("a device beyond its hub's reach begins anew, after a restart too, and refuses replays again from then on", async () => {
    const documents = await following(TODAY + 15 * YEAR_MS);
    await documents.forget();
    expect(documents.followed()).toEqual({ manifest_sequence: null, assignment_sequence: null });
    expect(wished(documents)).toBe("no-manifest");
    const restarted = await open();
    expect(restarted.now()).toBe(TODAY);
    for (const one of [documents, restarted]) {
      expect(await one.offerAssignment(assignmentOf(TODAY))).toBe(null);
      expect(await one.offerManifest(manifestOf(TODAY, better), null)).toBe(null);
      expect(wished(one)).toBe("v2.1");
      expect(await one.offerManifest(manifestOf(TODAY - HOUR_MS), null)).toMatchObject({ code: "MANIFEST_REPLAYED" });
    }
  });

  test("what protects by signature, addressee and expiry protects as before", async () => {
    const documents = await following(TODAY);
    await documents.forget();
    const offered = async (envelope: Parameters<Documents["offerManifest"]>[0]) =>
      (await documents.offerManifest(envelope, null))?.code;
    const stranger = sealAssignment(TODAY, "edge-001", "pilot", testKey());
    expect(await documents.offerAssignment(stranger)).toMatchObject({ code: "KEY_UNKNOWN" });
    expect(await documents.offerAssignment(sealAssignment(TODAY, "edge-002", "pilot", hub))).toMatchObject({
      code: "ASSIGNMENT_WRONG_DEVICE",
    });
    await documents.offerAssignment(assignmentOf(TODAY));
    expect(await offered(manifestOf(TODAY - LIFE_MS))).toBe("MANIFEST_EXPIRED");
    expect(await offered(manifestOf(TODAY, good, TODAY, "line-1"))).toBe("MANIFEST_WRONG_GROUP");
    expect(await offered(manifestOf(TODAY, good, Number.MAX_SAFE_INTEGER))).toBe("MANIFEST_FAR_AHEAD");
  });
});

test("a poll, a stick and a person at once: each is taken whole, one after the other", async () => {
  const documents = await following(TODAY);
  const [polled, , carried] = await Promise.all([
    documents.offerManifest(manifestOf(TODAY + 1, better), null),
    documents.forget(),
    documents.offerManifest(manifestOf(TODAY + 2), null),
  ]);
  expect([polled, carried?.code]).toEqual([null, "NOT_ASSIGNED"]);
  expect((await open()).followed()).toEqual({ manifest_sequence: null, assignment_sequence: null });
});
