// Removing files that nothing refers to, on a directory and on a bucket: what goes, what stays for whose sake, and who comes in between.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "./testing/artifact-places.ts";
import { type FakeS3, startFakeS3 } from "./testing/fake-s3.ts";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

const DAY_MS = 86_400_000;
const bytesOf = (name: string) => Buffer.from(`model ${name}`);
const digestOfName = (name: string) => digestOf(bytesOf(name));

let hub: TestHub;
let fake: FakeS3 | undefined;
let aheadMs: number;

async function open(place: "directory" | "bucket"): Promise<void> {
  aheadMs = 0;
  fake = place === "bucket" ? await startFakeS3({ isOlder: true }) : undefined;
  const s3 = fake && {
    S3_ENDPOINT: fake.endpoint,
    S3_BUCKETS: "models",
    S3_ACCESS_KEY_ID: "k",
    S3_SECRET_ACCESS_KEY: "s",
  };
  hub = await openTestHub({ ...s3 }, () => Date.now() + aheadMs);
}
afterEach(async () => {
  await hub.close();
  await fake?.close();
});

const upload = (name: string) =>
  hub.app.inject({
    method: "PUT",
    url: `/mlops/artifacts/${digestOfName(name)}`,
    headers: { "content-type": "application/octet-stream" },
    payload: bytesOf(name),
  });
const register = (name: string) =>
  hub.call("POST", "/mlops/models/register", {
    version_id: name,
    accuracy: 0.9,
    model_path: `artifact://${digestOfName(name)}`,
    training_samples: 1,
    training_date: "2026-01-01",
  });
const isThere = async (name: string) => (await hub.hub.artifacts.stat(digestOfName(name))) !== undefined;
const versionAt = (name: string) => `/api/v1/models/default/versions/${name}`;
const archive = (name: string) => hub.call("POST", `${versionAt(name)}/archive`, { reason: "too old" });
const unarchive = (name: string) => hub.call("POST", `${versionAt(name)}/unarchive`);
/** The janitor of another week. */
const sweepLater = async () => {
  aheadMs += 8 * DAY_MS;
  await hub.hub.janitor.round();
};
const removals = () => hub.hub.store.events.newest(100, undefined, { kind: "artifacts" });
/** Runs something in the middle of a call of the artifacts, once. */
function amid(
  method: "stat" | "head" | "remove",
  work: () => Promise<void>,
  when: "before" | "after" = "before",
): void {
  const { artifacts } = hub.hub;
  const original: unknown = artifacts[method];
  const hooked = async (...words: [string, number]) => {
    Object.assign(artifacts, { [method]: original });
    if (when === "before") await work();
    const result: unknown = await artifacts[method](...words);
    if (when === "after") await work();
    return result;
  };
  Object.assign(artifacts, { [method]: hooked });
}

describe.each(["directory", "bucket"] as const)("in a %s", (place) => {
  beforeEach(() => open(place));

  test("what was uploaded and never registered goes after a week, once, and is told; what is registered stays", async () => {
    await upload("stray");
    await hub.register("v1");
    await hub.hub.janitor.round();
    expect(await isThere("stray")).toBe(true);
    await sweepLater();
    expect([await isThere("stray"), await isThere("v1")]).toEqual([false, true]);
    await sweepLater();
    const told = await removals();
    expect(told).toMatchObject([
      {
        kind: "artifacts.removed",
        actor: "janitor",
        subject: digestOfName("stray"),
        data: {
          files: [{ digest: digestOfName("stray"), size_bytes: bytesOf("stray").length, why: "never registered" }],
        },
      },
    ]);
    const figures = (await hub.app.inject("/metrics")).body;
    expect(figures).toContain(`context_edge_artifacts_removed_bytes_total ${bytesOf("stray").length}`);
  });

  test("a file that is uploaded again begins its week anew", async () => {
    await upload("stray");
    aheadMs = 6 * DAY_MS;
    expect((await upload("stray")).statusCode).toBe(200);
    aheadMs = 12 * DAY_MS;
    await hub.hub.janitor.round();
    expect(await isThere("stray")).toBe(true);
  });

  test("an archived version's files go after a week; until then it can be taken back, later its files are asked for", async () => {
    for (const name of ["v1", "v2"]) {
      await hub.register(name);
      await hub.call("POST", `/mlops/models/${name}/reject`, { reason: "not good" });
      expect((await archive(name)).body).toMatchObject({ stage: "archived", decision_reason: "too old" });
    }
    expect((await unarchive("v1")).body).toMatchObject({ stage: "pending" });
    await sweepLater();
    expect([await isThere("v1"), await isThere("v2")]).toEqual([true, false]);
    expect((await removals())[0]?.data).toMatchObject({ files: [{ why: "of v2, archived" }] });
    const digest = digestOfName("v2");
    expect((await unarchive("v2")).body).toMatchObject({ code: "ARTIFACT_MISSING", context: { missing: [digest] } });
    await upload("v2");
    expect((await unarchive("v2")).body).toMatchObject({ stage: "pending" });
  });

  test("nothing goes that a register in between relies on: it is refused, or the file stays", async () => {
    await upload("a");
    aheadMs = 8 * DAY_MS;
    for (const [index, look] of (["stat", "head"] as const).entries()) {
      amid(look, () => hub.hub.janitor.round(), "after");
      expect((await register("a")).body, look).toMatchObject({ status: 422, code: "ARTIFACT_MISSING" });
      expect([await isThere("a"), (await removals()).length]).toEqual([false, index + 1]);
      await upload("a");
      aheadMs += 8 * DAY_MS;
    }
    expect((await register("a")).status, "and when nobody comes in between").toBe(201);

    await upload("b");
    aheadMs += 8 * DAY_MS;
    let amidst: unknown[] = [];
    amid("remove", async () => {
      amidst = [(await register("b")).body, (await upload("b")).json()];
    });
    await hub.hub.janitor.round();
    expect(amidst).toMatchObject([{ code: "ARTIFACT_UNAVAILABLE" }, { code: "ARTIFACT_UNAVAILABLE" }]);
    expect(await isThere("b")).toBe(false);
    expect([(await upload("b")).statusCode, (await register("b")).status]).toEqual([201, 201]);

    await upload("c");
    aheadMs += 8 * DAY_MS;
    const { store } = hub.hub;
    const original = { ...store };
    let calls = 0;
    // After the janitor has looked, and before it condemns.
    store.transaction = async (work) => {
      calls += 1;
      if (calls === 2) await register("c");
      return original.transaction(work);
    };
    await hub.hub.janitor.round();
    Object.assign(store, original);
    expect([(await hub.call("GET", versionAt("c"))).status, await isThere("c")]).toEqual([200, true]);
  });

  test("a hub that ends between condemning and removing leaves it to the next round", async () => {
    await upload("stray");
    amid("remove", () => Promise.reject(new Error("the bucket is away")));
    await sweepLater();
    expect([await isThere("stray"), (await removals()).length]).toEqual([true, 0]);
    expect((await upload("stray")).json()).toMatchObject({ code: "ARTIFACT_UNAVAILABLE" });
    await sweepLater();
    expect([await isThere("stray"), (await removals()).length]).toEqual([false, 1]);
    expect((await upload("stray")).statusCode).toBe(201);
  });

  test("uploads, registrations, archiving and removals all at once: whatever is registered has its file", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `r${index}`);
    for (const name of names) await upload(name);
    aheadMs = 8 * DAY_MS;
    const work = names.map(async (name, index) => {
      for (let turn = 0; turn < index % 4; turn += 1) await hub.call("GET", "/healthz");
      const { status } = await register(name);
      if (status !== 201) await upload(name).then(() => register(name));
    });
    await Promise.all([...work, hub.hub.janitor.round()]);
    await sweepLater();
    const kept = (await hub.hub.store.versions.list("default")).map(({ version_id }) => version_id);
    expect(kept.length).toBeGreaterThan(0);
    for (const name of kept) expect(await isThere(name), name).toBe(true);
  });
});

test("where another hub keeps files in the same bucket, nothing is removed", async () => {
  await open("bucket");
  await upload("stray");
  await sweepLater();
  expect(await isThere("stray")).toBe(false);
  await upload("other");
  const mine = [...(fake?.objects.keys() ?? [])].find((key) => key.startsWith("artifacts/hubs/"));
  expect(mine).toBeDefined();
  fake?.objects.set("artifacts/hubs/another", { bytes: Buffer.alloc(0), etag: '"x"', modified: new Date() });
  await sweepLater();
  expect(await isThere("other")).toBe(true);
  fake?.objects.delete("artifacts/hubs/another");
  await sweepLater();
  expect(await isThere("other")).toBe(false);
});
