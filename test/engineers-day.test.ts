// The engineer's day by HTTP, word for word as the guide tells it: register, review, pilot, watch, deploy to all, roll back.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PilotMetrics } from "@context-edge/protocol";
import { MODELS_DIR } from "@context-edge/demo/seed.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, startRealFleet, type RealFleet } from "./real-fleet.ts";

const PILOTS = ["edge-001", "edge-002", "edge-003", "edge-004", "edge-005"];

describe("the engineer's day", { timeout: 360_000 }, () => {
  let fleet: RealFleet;
  beforeAll(async () => {
    fleet = await startRealFleet({ devices: 6, soakSeconds: 6 });
  }, 180_000);
  afterAll(() => fleet?.close());

  const metrics = async () =>
    (await fleet.call("GET", "/mlops/deployment/v2.1/metrics")).body as unknown as PilotMetrics;

  test("the versions of the training run wait for review, v2.0 runs everywhere", async () => {
    const { status, body } = await fleet.call("GET", "/mlops/models/pending");
    expect(status).toBe(200);
    expect(body["models"]).toEqual(
      expect.arrayContaining([expect.objectContaining({ version_id: "v2.1", status: "pending" })]),
    );
    for (const device of await fleet.hub.devices()) {
      expect(device.models["default"]).toMatchObject({ current: { version: "v2.0" }, sync: "in-sync" });
    }
  });

  test("a new version registers by curl alone, the same again is 200, other content is 409", async () => {
    // One more byte at the end of an ONNX file is an unknown field to its reader, but a new digest to everyone else.
    const bytes = readFileSync(join(MODELS_DIR, "v2.1", "model.onnx"));
    const digest = createHash("sha256").update(bytes).digest("hex");
    const uploaded = await fetch(`${fleet.layout.hubUrl}/mlops/artifacts/${digest}`, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: bytes,
    });
    expect(uploaded.ok).toBe(true);
    const request = {
      version_id: "v3.0",
      accuracy: 0.95,
      model_path: `artifact://${digest}`,
      training_samples: 1_000,
      training_date: "2026-01-31T08:00:00Z",
    };
    expect((await fleet.call("POST", "/mlops/models/register", request)).status).toBe(201);
    expect((await fleet.call("POST", "/mlops/models/register", request)).status).toBe(200);
    const other = await fleet.call("POST", "/mlops/models/register", { ...request, accuracy: 0.5 });
    expect(other.status).toBe(409);
    expect(problemOf(other).code).toBe("VERSION_CONFLICT");
  });

  test("before there is a pilot, deploying to all is refused with what is missing", async () => {
    const refused = await fleet.call("POST", "/mlops/models/v2.1/deploy-all", {});
    expect(refused.status).toBe(409);
    expect(problemOf(refused).code).toBe("GATE_NOT_MET");
  });

  test("five devices become the pilot group and run v2.1; the sixth stays on v2.0", async () => {
    const { status, body } = await fleet.call("POST", "/mlops/models/v2.1/deploy-pilot", { pilot_device_ids: PILOTS });
    expect(status).toBe(200);
    expect(body["deployment_id"]).toEqual(expect.any(String));

    const early = await fleet.call("POST", "/mlops/models/v2.1/deploy-all", {});
    expect(early.status).toBe(409);
    expect(problemOf(early).context?.["missing"]).toEqual(expect.arrayContaining([expect.any(String)]));

    await fleet.waitFor("v2.1 on the pilot", async () => {
      const devices = await Promise.all(PILOTS.map((id) => fleet.device(id)));
      return devices.every(
        (device) =>
          device.models["default"]?.last_outcome?.outcome === "committed" &&
          device.sync === "in-sync" &&
          device.group === "pilot" &&
          device.models["default"].current?.version === "v2.1",
      );
    });
    const sixth = await fleet.device("edge-006");
    expect(sixth.models["default"]?.current?.version).toBe("v2.0");
  });

  test("the pilot's metrics are real figures", async () => {
    const measured = await fleet.waitFor("labelled predictions", async () => {
      const now = await metrics();
      return now.labelled_total >= 30 && now.predictions_total > 30 && now;
    });
    expect(measured).toMatchObject({ version_id: "v2.1", pilot_devices_total: 5, pilot_devices_online: 5, errors: 0 });
    expect(measured.accuracy_validated).toBeGreaterThan(0.7);
    expect(measured.avg_inference_time_ms).toBeGreaterThan(0);
    expect(measured.monitoring_duration_hours).toBeGreaterThan(0);
  });

  test("after the soak the gate lets v2.1 go to all", async () => {
    await fleet.waitFor("the gate to pass", async () => (await metrics()).can_deploy_to_all);
    const all = await fleet.call("POST", "/mlops/models/v2.1/deploy-all", {});
    expect(all.status).toBe(200);
    await fleet.waitFor("v2.1 everywhere", async () =>
      (await fleet.hub.devices()).every((device) => device.models["default"]?.current?.version === "v2.1"),
    );
    const id = String(all.body["deployment_id"]);
    const finished = await fleet.waitFor("the deployment to finish", async () => {
      const deployment = await fleet.deployment(id);
      return deployment.state === "finished" && deployment;
    });
    expect(finished.progress).toMatchObject({ total: 6, committed: 6 });
  });

  test("rolling back restores v2.0 on every device, and the history tells who did what", async () => {
    const back = await fleet.call("POST", "/mlops/models/v2.1/rollback", { rollback_to_version: "v2.0" });
    expect(back.status).toBe(200);
    await fleet.waitFor("v2.0 everywhere", async () =>
      (await fleet.hub.devices()).every(
        (device) => device.models["default"]?.current?.version === "v2.0" && device.sync === "in-sync",
      ),
    );
    const { body } = await fleet.call("GET", "/api/v1/audit?limit=200");
    const kinds = (body["items"] as { kind: string }[]).map((event) => event.kind);
    expect(kinds).toEqual(expect.arrayContaining(["version.registered", "deployment.created"]));
  });
});
