// Versions with a build recipe at the hub: what may be registered, whom they fit, when a device counts as running one, and how long it is waited for.
import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BuildRecipe,
  type DeviceModel,
  peekPayload,
  recipeDigest,
  seal,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
} from "@context-edge/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { steadyPart } from "./core/heartbeat.ts";
import { countStays } from "./stays.ts";
import { openTestHub, type TestDevice, type TestHub } from "./testing/test-hub.ts";

const MINUTE = 60_000;
const FP16 = { precision: ["fp16"] };
const GOLDEN = { tolerance: {}, samples: [] };
const bytes = Buffer.from("one and the same model");
const digest = createHash("sha256").update(bytes).digest("hex");
const ORIN = { agent_version: "test", arch: "arm64", sm: "8.7", tensorrt: "10.3.0", statements: 2 };
const BUILDER = { ...ORIN, engine_builder: "trtexec" };

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
  await hub.app.inject({
    method: "PUT",
    url: `/mlops/artifacts/${digest}`,
    headers: { "content-type": "application/octet-stream" },
    payload: bytes,
  });
});
afterEach(() => hub.close());

const variant = (build: object, format = "onnx") => ({ digest, size_bytes: bytes.length, format, platform: {}, build });

async function register(version: string, build: object, more: object = {}) {
  const created_at = "2026-01-01T00:00:00.000Z";
  const numbered = { model: "default", version, release: Number(version.replaceAll(/\D/g, "")), created_at };
  const statement = { schema: 2, ...numbered, golden: GOLDEN, variants: [variant(build)], ...more };
  return hub.call("POST", "/mlops/models/register", {
    version_id: version,
    accuracy: 0.9,
    model_path: `artifact://${digest}`,
    training_samples: 1,
    training_date: "2026-01-01T00:00:00Z",
    statement: seal(STATEMENT_PAYLOAD_TYPE, statement, hub.releaseKey),
  });
}

describe("a recipe", () => {
  test("is registered with the version, and shown", async () => {
    expect(await register("v1", FP16)).toMatchObject({ status: 201, body: { warnings: [] } });
    const { body } = await hub.call("GET", "/api/v1/models/default/versions/v1");
    expect(body["variants"]).toMatchObject([{ digest, build: { precision: ["fp16"], deadline_minutes: 60 } }]);
  });

  test("without golden samples is registered with a warning: nothing proves each device's own engine", async () => {
    const { body } = await register("v1", FP16, { golden: undefined });
    expect(body["warnings"]).toEqual([expect.stringMatching(/no golden samples to prove each of them by/)]);
  });

  test.each<[string, object, object]>([
    ["with a word of trtexec's own", { plugins: "/tmp/evil.so" }, {}],
    ["in a statement an older device would misread", FP16, { schema: 1 }],
    ["for a file that is an engine already", FP16, { variants: [variant(FP16, "trt")] }],
  ])("%s is refused", async (_what, build, more) => {
    expect(await register("v1", build, more)).toMatchObject({ status: 422, body: { code: "STATEMENT_REFUSED" } });
  });

  test("that no device could prove is not signed by a development key either", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const keyFile = join(hub.dir, "dev.key.pem");
    writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
    const signing = await openTestHub({ HUB_DEV_RELEASE_KEY_FILE: keyFile });
    const registered = async (version: string, build: object) => {
      const file = { method: "PUT", url: `/mlops/artifacts/${digest}`, payload: bytes } as const;
      await signing.app.inject({ ...file, headers: { "content-type": "application/octet-stream" } });
      const dated = { training_samples: 1, training_date: "2026-01-01T00:00:00Z" };
      const claim = { version_id: version, accuracy: 0.9, model_path: `artifact://${digest}`, ...dated };
      return signing.call("POST", "/mlops/models/register", { ...claim, variants: [variant(build)] });
    };
    expect(await registered("v1", { precision: ["int8"] })).toMatchObject({
      status: 422,
      body: { code: "STATEMENT_REFUSED", detail: expect.stringMatching(/only golden samples can tell/) },
    });
    expect(await registered("v2", FP16)).toMatchObject({ status: 201 });
    const { statement } = (await signing.hub.store.versions.find("default", "v2")) ?? {};
    expect(statement && peekPayload(statement, Statement)).toMatchObject({ schema: 2 });
    await signing.close();
  });
});

describe("in a group of three", () => {
  let builder: TestDevice;
  beforeEach(async () => {
    await hub.call("POST", "/api/v1/groups", { name: "line" });
    builder = await hub.enroll("builder", "line");
    await builder.report("v0", undefined, { inventory: BUILDER });
    await (await hub.enroll("bare", "line")).report("v0", undefined, { inventory: ORIN });
    await (await hub.enroll("old", "line")).report("v0");
    await register("v1", FP16);
  });

  test("a preview says who can build it, who lacks trtexec, and whose agent is too old", async () => {
    const { body } = await hub.call("POST", "/api/v1/deployments/preview", { version: "v1", groups: ["line"] });
    expect(body).toMatchObject({ devices_total: 3, fitting: 1 });
    expect(body["groups"]).toMatchObject([
      {
        incompatible: [
          { device: "bare", why: "no variant for it: needed is trtexec to build the engine with (this device: none)" },
          {
            device: "old",
            why: "no variant for it: needed is an agent that understands build recipes (this device: test)",
          },
        ],
      },
    ]);
  });

  const standing = async () => {
    const { body } = await hub.call("GET", "/api/v1/devices/builder");
    return (body["models"] as Record<string, DeviceModel>)["default"];
  };
  const running = (recipe: object, more: Partial<DeviceModel> = {}) => {
    const built_at = "2026-01-01T00:00:00.000Z";
    const by = recipeDigest(BuildRecipe.parse(recipe));
    const engine = { digest: "e".repeat(64), recipe: by, tensorrt: "10.3.0", sm: "8.7", built_at, took_s: 9 };
    const model = {
      current: { version: "v1", digest, engine },
      backup: null,
      current_since: built_at,
      attempt: null,
      waiting: null,
      last_outcome: null,
      quarantined: [],
      stats: null,
    };
    return { inventory: BUILDER, models: { default: { ...model, ...more } } };
  };

  test("a device runs the version when its engine was built by its recipe, not by another of the same file", async () => {
    await register("v2", { precision: ["bf16"] });
    await hub.call("PUT", "/api/v1/groups/line/target", { version: "v2" });
    await builder.report("v1", undefined, running(FP16));
    expect((await standing())?.sync).toBe("pending");
    await builder.report("v2", undefined, running({ precision: ["bf16"] }));
    expect(await standing()).toMatchObject({ sync: "in-sync", current: { digest, engine: { tensorrt: "10.3.0" } } });
  });

  test("a device that builds is waited for as long as its build may take, and no longer", async () => {
    const { body } = await hub.call("PUT", "/api/v1/groups/line/target", { version: "v1" });
    const id = String(body["deployment_id"] ?? body["id"]);
    const build = { stage: "choosing kernels", elapsed_s: 60, estimate_s: null, deadline_s: 3_600 };
    const times = { started_at: "2026-01-01T00:00:00.000Z", steps: [], download: null };
    const attempt = { deployment_id: id, version: "v1", digest, phase: "verifying" as const, ...times, build };
    await builder.report("v0", undefined, running(FP16, { current: null, attempt }));

    const deployment = await hub.hub.store.deployments.find(id);
    if (!deployment) throw new Error("there is no deployment");
    const members = (await hub.hub.fleet()).members(deployment);
    let lookedMs = 0;
    const stays = countStays({ store: hub.hub.store, now: () => lookedMs });
    const lateAfter = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        lookedMs += MINUTE;
        const late = await stays.look({ ...deployment, state: "running" }, members);
        if (late.some((member) => member.id === "builder")) return true;
      }
      return false;
    };
    // Half an hour is what any check may take; the build has its own hour on top.
    expect(await lateAfter(90)).toBe(false);
    expect(await lateAfter(2)).toBe(true);
  });

  test("seconds that pass in a build are no news, its stage is", () => {
    const state = (elapsed_s: number, stage: string) => {
      const { models } = running(FP16);
      const build = { stage, elapsed_s, estimate_s: null, deadline_s: 9 };
      const attempt = { version: "v1", build } as unknown as NonNullable<DeviceModel["attempt"]>;
      return { models: { default: { ...models.default, attempt } } } as unknown as Parameters<typeof steadyPart>[0];
    };
    const of = (elapsed_s: number, stage: string) => JSON.stringify(steadyPart(state(elapsed_s, stage)));
    expect(of(1, "choosing kernels")).toBe(of(200, "choosing kernels"));
    expect(of(1, "choosing kernels")).not.toBe(of(1, "writing the engine"));
  });
});
