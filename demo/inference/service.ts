// One device's inference service: Open Inference Protocol v2 over HTTP, with Triton's repository calls, for the file behind its slot link.
import { join } from "node:path";
import { InferRequest, type InferResponse, type ModelMetadata, type ModelStats } from "@context-edge/protocol";
import Fastify, { type FastifyInstance } from "fastify";
import { loadEngine, type Engine } from "./engine.ts";

const MODEL = "default";

/** Counters since the model was loaded, as the protocol's statistics extension defines them. */
interface Counters {
  success: { count: number; ns: number };
  fail: { count: number; ns: number };
  lastInferenceMs: number;
}

const newCounters = (): Counters => ({
  success: { count: 0, ns: 0 },
  fail: { count: 0, ns: 0 },
  lastInferenceMs: 0,
});

/** @param modelsDir the device's models directory; `linkName` inside it is what gets served. */
export async function buildInferenceService(modelsDir: string, linkName: string): Promise<FastifyInstance> {
  const app = Fastify({ logger: false });
  let engine: Engine | undefined;
  let counters = newCounters();

  const unload = async () => {
    const old = engine;
    engine = undefined;
    await old?.close();
  };
  const load = async () => {
    const fresh = await loadEngine(join(modelsDir, linkName));
    await unload();
    engine = fresh;
    counters = newCounters();
  };
  // A device that was switched off serves again what it served before; a new one has nothing yet.
  await load().catch(() => undefined);
  app.addHook("onClose", unload);

  app.get("/v2", () => ({ name: "context-edge-demo", version: "1", extensions: ["model_repository", "statistics"] }));
  app.get("/v2/health/live", (_request, reply) => reply.code(200).send());
  // Triton answers health with an empty body; so do we.
  app.get("/v2/health/ready", (_request, reply) => reply.code(engine ? 200 : 400).send());
  app.get(`/v2/models/${MODEL}/ready`, (_request, reply) => reply.code(engine ? 200 : 400).send());

  app.get(`/v2/models/${MODEL}`, (_request, reply) => {
    if (!engine) return reply.code(400).send({ error: "no model is loaded" });
    return {
      name: MODEL,
      versions: [engine.digest.slice(0, 12)],
      platform: "onnxruntime_onnx",
      inputs: engine.inputs,
      outputs: engine.outputs,
      parameters: { digest: engine.digest, file: engine.fileName },
    } satisfies ModelMetadata;
  });

  app.post(`/v2/models/${MODEL}/infer`, async (request, reply) => {
    const serving = engine;
    if (!serving) return reply.code(400).send({ error: "no model is loaded" });
    const body = InferRequest.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: body.error.message });
    try {
      const { outputs, computeNs } = await serving.infer(body.data.inputs);
      counters.success.count += 1;
      counters.success.ns += computeNs;
      counters.lastInferenceMs = Date.now();
      return {
        model_name: MODEL,
        model_version: serving.digest.slice(0, 12),
        ...(body.data.id === undefined ? {} : { id: body.data.id }),
        parameters: { digest: serving.digest },
        outputs,
      } satisfies InferResponse;
    } catch (error) {
      counters.fail.count += 1;
      return reply.code(500).send({ error: error instanceof Error ? error.message : String(error) });
    }
  });

  app.get(`/v2/models/${MODEL}/stats`, (_request, reply) => {
    if (!engine) return reply.code(400).send({ error: "no model is loaded" });
    const { success, fail, lastInferenceMs } = counters;
    return {
      model_stats: [
        {
          name: MODEL,
          version: engine.digest.slice(0, 12),
          last_inference: lastInferenceMs,
          inference_count: success.count,
          execution_count: success.count,
          inference_stats: { success, fail },
        },
      ],
    } satisfies ModelStats;
  });

  app.post("/v2/repository/index", () => [
    { name: MODEL, state: engine ? "READY" : "UNAVAILABLE", reason: engine ? "" : "unloaded" },
  ]);
  app.post(`/v2/repository/models/${MODEL}/unload`, async (_request, reply) => {
    await unload();
    return reply.code(200).send();
  });
  app.post(`/v2/repository/models/${MODEL}/load`, async (_request, reply) => {
    try {
      await load();
      return await reply.code(200).send();
    } catch (error) {
      return reply.code(400).send({ error: `failed to load '${MODEL}': ${String(error)}` });
    }
  });
  return app;
}
