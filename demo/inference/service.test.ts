// The demo's inference service against real models: it must behave as Triton would, or the agent's probe proves nothing.
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Golden, InferResponse, ModelMetadata, ModelStats } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MODELS_DIR } from "../seed.ts";
import { buildInferenceService } from "./service.ts";

const modelFile = (version: string) => join(MODELS_DIR, version, "model.onnx");
const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

describe("the inference service", () => {
  let dir: string;
  let app: FastifyInstance | undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "inference-"));
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    rmSync(dir, { recursive: true });
  });

  async function serve(version: string): Promise<FastifyInstance> {
    copyFileSync(modelFile(version), join(dir, `model-${version}.onnx`));
    symlinkSync(`model-${version}.onnx`, join(dir, "current.onnx"));
    app = await buildInferenceService(dir, "current.onnx");
    return app;
  }
  const golden = (version: string) =>
    Golden.parse(JSON.parse(readFileSync(join(MODELS_DIR, version, "golden.json"), "utf8")));

  async function worstDifference(service: FastifyInstance, version: string): Promise<number> {
    let worst = 0;
    for (const sample of golden(version).samples) {
      const answer = await service.inject({
        method: "POST",
        url: "/v2/models/default/infer",
        payload: { inputs: sample.inputs },
      });
      const actual = InferResponse.parse(answer.json()).outputs[0]?.data.map(Number) ?? [];
      const expected = sample.outputs[0]?.data.map(Number) ?? [];
      expect(actual).toHaveLength(expected.length);
      for (const [index, value] of expected.entries())
        worst = Math.max(worst, Math.abs(value - (actual[index] ?? NaN)));
    }
    return worst;
  }

  test("without a model it lives but is not ready, and says so in the protocol's form", async () => {
    app = await buildInferenceService(dir, "current.onnx");
    expect((await app.inject("/v2/health/live")).statusCode).toBe(200);
    expect((await app.inject("/v2/health/ready")).statusCode).toBe(400);
    expect((await app.inject("/v2/models/default")).json()).toHaveProperty("error");
  });

  test("it names the digest of the bytes it serves, not of whatever the link names later", async () => {
    const service = await serve("v2.0");
    const first = ModelMetadata.parse((await service.inject("/v2/models/default")).json());
    expect(first.parameters?.["digest"]).toBe(digestOf(modelFile("v2.0")));
    expect(first.inputs).toContainEqual({ name: "sensors", datatype: "FP32", shape: [-1, 12] });

    copyFileSync(modelFile("v2.1"), join(dir, "model-v2.1.onnx"));
    rmSync(join(dir, "current.onnx"));
    symlinkSync("model-v2.1.onnx", join(dir, "current.onnx"));
    const still = ModelMetadata.parse((await service.inject("/v2/models/default")).json());
    expect(still.parameters?.["digest"]).toBe(digestOf(modelFile("v2.0")));

    expect((await service.inject({ method: "POST", url: "/v2/repository/models/default/load" })).statusCode).toBe(200);
    const after = ModelMetadata.parse((await service.inject("/v2/models/default")).json());
    expect(after.parameters?.["digest"]).toBe(digestOf(modelFile("v2.1")));
  });

  test.each(["v2.0", "v2.1", "v2.2", "v2.4"])("%s gives its golden answers", async (version) => {
    expect(await worstDifference(await serve(version), version)).toBeLessThan(0.02);
  });

  test("v2.3 does not give its golden answers, as the demo promises", async () => {
    expect(await worstDifference(await serve("v2.3"), "v2.3")).toBeGreaterThan(0.2);
  });

  test("statistics count successes and failures since the model was loaded", async () => {
    const service = await serve("v2.0");
    const [sample] = golden("v2.0").samples;
    await service.inject({ method: "POST", url: "/v2/models/default/infer", payload: { inputs: sample?.inputs } });
    const wrong = await service.inject({
      method: "POST",
      url: "/v2/models/default/infer",
      payload: { inputs: [{ name: "product", datatype: "FP64", shape: [1], data: [1] }] },
    });
    expect(wrong.statusCode).toBe(500);
    const { model_stats } = ModelStats.parse((await service.inject("/v2/models/default/stats")).json());
    expect(model_stats[0]?.inference_stats).toMatchObject({ success: { count: 1 }, fail: { count: 1 } });
  });

  test("a file that is no model leaves the one in memory serving", async () => {
    const service = await serve("v2.0");
    writeFileSync(join(dir, "rubbish.onnx"), "this is no model");
    rmSync(join(dir, "current.onnx"));
    symlinkSync("rubbish.onnx", join(dir, "current.onnx"));
    const refused = await service.inject({ method: "POST", url: "/v2/repository/models/default/load" });
    expect(refused.statusCode).toBe(400);
    expect((await service.inject("/v2/health/ready")).statusCode).toBe(200);
  });
});
