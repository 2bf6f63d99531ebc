// Each bad version ends as it should, on every device that got it, and says so in words on the device and on the hub.
import type { OutcomeReport } from "@context-edge/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRealFleet, type RealFleet } from "./real-fleet.ts";

describe("bad versions", { timeout: 360_000 }, () => {
  let fleet: RealFleet;
  beforeAll(async () => {
    fleet = await startRealFleet({ devices: 4, soakSeconds: 3, strictLatency: true });
  }, 180_000);
  afterAll(() => fleet?.close());

  const pilots = ["edge-001", "edge-002"];

  /** Puts `version` on the pilot and waits until each pilot device has an outcome for that very deployment. */
  async function tryOnPilot(version: string): Promise<{ outcomes: OutcomeReport[]; deploymentId: string }> {
    const { status, body } = await fleet.call("POST", `/mlops/models/${version}/deploy-pilot`, {
      pilot_device_ids: pilots,
    });
    expect(status).toBe(200);
    const deploymentId = String(body["deployment_id"]);
    const outcomes = await fleet.waitFor(
      `an outcome of ${version} on every pilot device`,
      async () => {
        const devices = await Promise.all(pilots.map((id) => fleet.device(id)));
        const found = devices.flatMap((device) => device.models["default"]?.last_outcome ?? []);
        return found.every((outcome) => outcome.deployment_id === deploymentId) && found.length === 2 && found;
      },
      120_000,
    );
    return { outcomes, deploymentId };
  }

  async function expectStillServing(version: string) {
    for (const id of pilots) {
      const device = await fleet.device(id);
      expect(device.models["default"]?.current?.version).toBe(version);
      // The outcome may travel one report ahead of the device at rest.
      await fleet.waitFor(`${id} to be at rest`, async () => (await fleet.device(id)).sync === "failed");
    }
  }

  async function expectHalted(deploymentId: string) {
    const halted = await fleet.waitFor("the deployment to halt", async () => {
      const deployment = await fleet.deployment(deploymentId);
      return deployment.state === "paused" && deployment;
    });
    expect(halted.state_reason).toMatch(/2 of 2/);
    const refused = await fleet.call("POST", `/mlops/models/${halted.version}/deploy-all`, {});
    expect(refused.status).toBe(409);
  }

  test("v2.2 is too slow: swapped in, measured against the baseline of the same device, rolled back", async () => {
    const { outcomes, deploymentId } = await tryOnPilot("v2.2");
    for (const { outcome, code, message, evidence } of outcomes) {
      expect({ outcome, code }).toEqual({ outcome: "rolled-back", code: "LATENCY_OVER_BASELINE" });
      expect(message).toMatch(/ms/);
      expect(evidence.candidate?.p95_ms).toBeGreaterThan(evidence.limit_p95_ms ?? Infinity);
      expect(evidence.baseline?.p95_ms).toBeLessThan(evidence.limit_p95_ms ?? 0);
      expect(evidence.restored?.errors).toBe(0);
    }
    await expectStillServing("v2.0");
    await expectHalted(deploymentId);
    const page = await fleet.statusPage("edge-001");
    expect(page).toContain("v2.0");
    expect(page).toContain("v2.2");
    expect(page).toMatch(/p95|slow/i);
  });

  test("v2.3 answers wrongly: its golden samples fail and it is rolled back", async () => {
    const { outcomes, deploymentId } = await tryOnPilot("v2.3");
    for (const { outcome, code, evidence } of outcomes) {
      expect({ outcome, code }).toEqual({ outcome: "rolled-back", code: "GOLDEN_MISMATCH" });
      expect(evidence.golden?.failed).toBeGreaterThan(0);
    }
    await expectStillServing("v2.0");
    await expectHalted(deploymentId);
    expect(await fleet.statusPage("edge-002")).toMatch(/golden|wrong answer|known answer/i);
  });

  test("v2.4 was cut short: rejected before any swap", async () => {
    const { outcomes, deploymentId } = await tryOnPilot("v2.4");
    for (const { outcome, code, evidence } of outcomes) {
      expect({ outcome, code }).toEqual({ outcome: "rejected", code: "SIZE_MISMATCH" });
      expect(evidence.actual_bytes).toBeLessThan(evidence.expected_bytes ?? 0);
    }
    await expectStillServing("v2.0");
    await expectHalted(deploymentId);
    expect(await fleet.statusPage("edge-001")).toContain("v2.4");
  });

  test("nobody outside the pilot was touched, and a good version still goes through afterwards", async () => {
    for (const id of ["edge-003", "edge-004"]) {
      const device = await fleet.device(id);
      expect(device.models["default"]).toMatchObject({ current: { version: "v2.0" }, sync: "in-sync" });
    }
    const { outcomes } = await tryOnPilot("v2.1");
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(["committed", "committed"]);
  });
});
