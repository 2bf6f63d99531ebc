// Processes killed at bad moments, for real: nothing acknowledged is lost, every device settles, and whoever was away catches up.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { LINK_NAME } from "@context-edge/demo/layout.ts";
import { MODELS_DIR } from "@context-edge/demo/seed.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRealFleet, type RealFleet } from "./real-fleet.ts";

const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const WHOLE_MODELS = ["v2.0", "v2.1"].map((version) => digestOf(join(MODELS_DIR, version, "model.onnx")));

describe("killed at bad moments", { timeout: 360_000 }, () => {
  let fleet: RealFleet;
  beforeAll(async () => {
    fleet = await startRealFleet({ devices: 4, soakSeconds: 2, offlineAfterSeconds: 5 });
  }, 180_000);
  afterAll(() => fleet?.close());

  const assign = async (group: string, version: string) => {
    const { status, body } = await fleet.call("PUT", `/api/v1/groups/${group}/target`, { version });
    expect(status).toBe(200);
    return String(body["id"]);
  };
  const runs = async (id: string, version: string) => {
    const device = await fleet.device(id);
    return device.models["default"]?.current?.version === version && device.sync === "in-sync";
  };
  const finished = (deploymentId: string) =>
    fleet.waitFor(`deployment ${deploymentId} to finish`, async () => {
      const deployment = await fleet.deployment(deploymentId);
      return deployment.state === "finished" && deployment;
    });

  /** What a power user would see at this instant: the link names one whole model. */
  function expectWholeModel(id: string) {
    const dir = fleet.layout.devices.find((device) => device.id === id)?.modelsDir ?? "";
    const target = readlinkSync(join(dir, LINK_NAME));
    expect(target).not.toContain("/");
    expect(WHOLE_MODELS).toContain(digestOf(join(dir, target)));
  }

  test("the hub is killed in mid-deployment, started again, and the deployment goes on", async () => {
    const id = await assign("line-1", "v2.1");
    await fleet.waitFor("a device under way", async () => (await fleet.deployment(id)).progress.moving > 0);
    await fleet.children.stop("hub", "SIGKILL");
    await fleet.startHubAgain();
    const after = await finished(id);
    expect(after.version).toBe("v2.1");
    expect(await runs("edge-003", "v2.1")).toBe(true);
  });

  test("what was acknowledged just before a kill is there afterwards", async () => {
    const { status } = await fleet.call("POST", "/mlops/models/v2.3/reject", { reason: "killed right after this" });
    expect(status).toBe(200);
    await fleet.children.stop("hub", "SIGKILL");
    await fleet.startHubAgain();
    const { body } = await fleet.call("GET", "/api/v1/models/default/versions/v2.3");
    expect(body).toMatchObject({ stage: "rejected", decision_reason: "killed right after this" });
  });

  test("an agent is killed again and again in mid-transaction: the link is always whole and the device settles", async () => {
    const id = await assign("pilot", "v2.1");
    for (let kill = 0; kill < 6; kill++) {
      // Spread over download, swap, probe and soak; what matters is that no moment is special.
      await wait(250 + kill * 700);
      await fleet.children.stop("edge-001", "SIGKILL");
      expectWholeModel("edge-001");
      fleet.startAgentAgain("edge-001");
    }
    const settled = await fleet.waitFor(
      "edge-001 to settle",
      async () => {
        const device = await fleet.device("edge-001");
        const outcome = device.models["default"]?.last_outcome;
        return device.phase === "idle" && outcome?.deployment_id === id && device;
      },
      120_000,
    );
    expectWholeModel("edge-001");
    expect(settled.models["default"]?.last_outcome?.outcome).toMatch(/committed|rolled-back/);
    expect(await fleet.waitFor("edge-002 on v2.1", () => runs("edge-002", "v2.1"))).toBe(true);
  });

  test("a device that is off for the whole deployment does not hold it open and catches up when it returns", async () => {
    await fleet.children.stop("edge-004", "SIGKILL");
    await fleet.waitFor("edge-004 to count as offline", async () => !(await fleet.device("edge-004")).online);
    const id = await assign("line-1", "v2.0");
    const deployment = await finished(id);
    expect(deployment.progress).toMatchObject({ total: 2, committed: 1, offline: 1 });
    expectWholeModel("edge-004");

    fleet.startAgentAgain("edge-004");
    await fleet.waitFor("edge-004 to catch up", () => runs("edge-004", "v2.0"));
  });
});
