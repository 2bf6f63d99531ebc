// Archiving a version: refused while anybody needs it, and then out of every deployment's reach.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "./testing/artifact-places.ts";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let aheadMs: number;
beforeEach(async () => {
  aheadMs = 0;
  hub = await openTestHub({}, () => Date.now() + aheadMs);
});
afterEach(() => hub.close());

const digestOfName = (name: string) => digestOf(Buffer.from(`model ${name}`));
const isThere = async (name: string) => (await hub.hub.artifacts.stat(digestOfName(name))) !== undefined;
const archive = (name: string) => hub.call("POST", `/api/v1/models/default/versions/${name}/archive`);
const unarchive = (name: string) => hub.call("POST", `/api/v1/models/default/versions/${name}/unarchive`);
/** The janitor of another week. */
const sweepLater = async () => {
  aheadMs += 8 * 86_400_000;
  await hub.hub.janitor.round();
};

describe("archiving is refused with who needs it", () => {
  const refusal = async (name: string) => {
    const { status, body } = await archive(name);
    expect(status, JSON.stringify(body)).toBe(409);
    return { code: body["code"], by: (body["context"] as { used_by?: string[] } | undefined)?.used_by };
  };
  const target = (version: string, group = "default") => hub.call("PUT", `/api/v1/groups/${group}/target`, { version });

  test("a target, a way back, a manifest, a slot of a device, a deployment that is only planned, a pin", async () => {
    for (const name of ["v1", "v2", "v3", "v4", "v5"]) await hub.register(name);
    const device = await hub.enroll("edge-001");
    await target("v1");
    await device.report("v1", { outcome: "committed" });
    expect((await refusal("v1")).by).toEqual(
      expect.arrayContaining(["is the target of default", "is in the manifest of default", "runs on edge-001"]),
    );
    await target("v2");
    await device.report("v2", { outcome: "committed" });
    expect((await refusal("v1")).by).toContain("is what default would go back to");
    await target("v3");
    const slot = (version: string) => ({ version, digest: digestOfName(version) });
    const models = {
      default: {
        current: slot("v3"),
        backup: slot("v1"),
        current_since: null,
        attempt: null,
        waiting: null,
        last_outcome: null,
        quarantined: [],
        stats: null,
      },
    };
    await device.report("v3", { outcome: "committed" }, { models });
    await target("v2");
    await target("v3");
    expect(await refusal("v1")).toEqual({ code: "VERSION_IN_USE", by: ["is the backup of edge-001"] });
    const plan = { version: "v4", groups: ["default"], draft: true };
    const draft = (await hub.call("POST", "/api/v1/deployments", plan)).body as { id: string };
    await hub.call("POST", "/mlops/models/v4/approve");
    expect((await refusal("v4")).by).toEqual([`belongs to deployment ${draft.id}`]);
    await hub.call("POST", `/api/v1/deployments/${draft.id}/abort`);
    expect((await archive("v4")).status).toBe(200);
    expect((await archive("v4")).status, "again").toBe(200);
    await hub.call("PUT", "/api/v1/devices/edge-001/pin", { version: "v5", reason: "a trial" });
    expect((await refusal("v5")).by?.join()).toMatch(/is the target of /);
    expect(await refusal("v1"), "only on the device by now").toMatchObject({ code: "VERSION_IN_USE" });
  });

  test("what waits for review or is quarantined is not archived, and the archived is neither deployed nor gone back to", async () => {
    for (const name of ["v1", "v2"]) await hub.register(name);
    expect(await refusal("v1")).toMatchObject({ code: "CONFLICT" });
    await hub.call("POST", "/api/v1/quarantines", { version: "v1", reason: "bad bytes" });
    expect(await refusal("v1")).toMatchObject({ code: "CONFLICT" });
    await hub.call("POST", "/mlops/models/v2/approve");
    await archive("v2");
    await hub.call("POST", "/api/v1/groups", { name: "line" });
    expect((await target("v2", "line")).body).toMatchObject({ code: "VERSION_NOT_DEPLOYABLE" });
    expect((await archive("nothing")).body).toMatchObject({ code: "VERSION_UNKNOWN" });
    expect((await unarchive("v1")).body).toMatchObject({ code: "CONFLICT" });
  });

  test("files of an archived version stay as long as a device that was silent then says that it has them", async () => {
    for (const name of ["v1", "v2"]) await hub.register(name);
    await hub.call("POST", "/mlops/models/v1/approve");
    await archive("v1");
    const late = await hub.enroll("edge-002");
    await late.report("v1");
    await sweepLater();
    expect(await isThere("v1")).toBe(true);
    await late.report("v2");
    await sweepLater();
    expect(await isThere("v1")).toBe(false);
  });
});
