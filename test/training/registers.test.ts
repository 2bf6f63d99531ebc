// A tiny run from end to end: what is registered is what was trained, signed, measured and shown; what must not be registered is not.
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Version } from "@context-edge/protocol";
import { loadSigningKey } from "@context-edge/demo/keys.ts";
import { comparedOf, confusionOf, curvesOf, perClassOf } from "@context-edge/dashboard/format/training.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { layOutHub, type HubProcess } from "./hub-process.ts";
import { execute, findPython, ROOT } from "./python.ts";
import { epochsOf, startTraining } from "./training-run.ts";

const python = await findPython();

describe.skipIf(!python.ok)("a run of the training container's command", () => {
  const path = python.ok ? python.path : "";
  let hub: HubProcess;
  let tokenFile: string;
  beforeAll(async () => {
    hub = await layOutHub();
    await hub.start();
    tokenFile = join(hub.dir, "training.token");
    writeFileSync(tokenFile, await hub.token("publisher"), { mode: 0o600 });
  });
  afterAll(() => hub.close());

  /** A model of its own for each test, so that they can share a hub. */
  let model: string;
  let env: Record<string, string>;
  let tests = 0;
  beforeEach(() => {
    model = `model-${(tests += 1)}`;
    env = {
      CONTEXT_EDGE_URL: hub.url,
      CONTEXT_EDGE_TOKEN_FILE: tokenFile,
      CONTEXT_EDGE_RELEASE_KEY_FILE: hub.releaseKeyFile,
      TRAINING_MODEL: model,
      TRAINING_WORK: join(hub.dir, model),
    };
  });
  const train = (more: Record<string, string> = {}, ...args: string[]) =>
    startTraining(path, { ...env, ...more }, args).ended;
  const onlyVersion = async (): Promise<Version> => {
    const [version, ...others] = await hub.versions(model);
    expect(others).toEqual([]);
    if (!version) throw new Error("nothing was registered");
    return version;
  };
  /** As the demo does it, with a key this hub knows. */
  const publishDemo = async (version: string) => {
    const at = (name: string) => join(ROOT, "demo/models", version, name);
    const published = await execute(
      process.execPath,
      [
        "cli/main.ts",
        "publish",
        at("model.onnx"),
        "--version",
        version,
        "--model",
        model,
        "--metrics",
        at("metrics.json"),
        "--golden",
        at("golden.json"),
        "--key",
        hub.releaseKeyFile,
      ],
      { CONTEXT_EDGE_URL: hub.url, CONTEXT_EDGE_TOKEN: await hub.token("publisher") },
    );
    expect(published.code, published.stderr).toBe(0);
    expect((await hub.call("POST", `/mlops/models/${version}/approve?model=${model}`, {})).status).toBe(200);
  };

  test("leaves a pending version that carries a verified signature, and the figures, curves and matrix that the dashboard shows", async () => {
    const { code, told, stderr } = await train();
    expect(code, stderr).toBe(0);
    expect(epochsOf(told)).toEqual([1, 2, 3]);
    expect(told.find(({ event }) => event === "engine")?.message).toMatch(/No TensorRT engine is built: there is no/);
    const version = await onlyVersion();
    const { publicKey } = loadSigningKey(hub.releaseKeyFile);
    expect(version).toMatchObject({
      stage: "pending",
      signed_by: publicKey.id,
      training_samples: 1_500,
      model,
    });
    const file = readFileSync(join(env["TRAINING_WORK"] ?? "", "done", version.version_id, "model.onnx"));
    const digest = createHash("sha256").update(file).digest("hex");
    expect(version.variants).toEqual([{ digest, size_bytes: file.length, format: "onnx", platform: {} }]);

    expect(curvesOf(version.metrics)?.epoch).toEqual([1, 2, 3]);
    const confusion = confusionOf(version.metrics);
    const right = confusion?.counts.reduce((sum, row, index) => sum + (row[index] ?? 0), 0) ?? 0;
    expect(right / 10_000).toBeCloseTo(version.accuracy, 4);
    expect(Object.keys(perClassOf(version.metrics) ?? {})).toEqual(confusion?.classes);
    expect(version.metrics.false_positive_rate).toEqual(expect.any(Number));

    const again = await train();
    expect(again.code).toBe(0);
    expect(again.told.at(-1)).toMatchObject({ event: "nothing-new", version: version.version_id });
    expect(epochsOf(again.told)).toEqual([]);
    await onlyVersion();
  });

  test("measures the running version on the same held-out samples, and registers nothing worse where it must be better", async () => {
    await publishDemo("v2.1");
    const worse = await train({ TRAINING_REQUIRE_BETTER: "1" });
    expect(worse.code).toBe(7);
    expect(worse.told.at(-1)).toMatchObject({ event: "failed", code: "NOT_BETTER", exit: 7 });
    expect((await onlyVersion()).version_id).toBe("v2.1");
    const again = await train({ TRAINING_REQUIRE_BETTER: "1" });
    expect([again.code, again.told.at(-1)?.event, epochsOf(again.told)]).toEqual([0, "nothing-new", []]);

    const registered = await train({ TRAINING_FORCE: "1" });
    expect(registered.code, registered.stderr).toBe(0);
    const version = (await hub.versions(model)).find(({ stage }) => stage === "pending");
    // The demo measured v2.1 on the very samples that are held out here.
    const promised = JSON.parse(readFileSync(join(ROOT, "demo/models/v2.1/metrics.json"), "utf8")) as {
      accuracy: number;
    };
    expect(comparedOf(version?.metrics ?? {})).toEqual({
      version_id: "v2.1",
      held_out_samples: 10_000,
      accuracy: promised.accuracy,
    });
  });

  test("with a token that is unknown or may not register ends 6 before anything is trained", async () => {
    const wrong = await train({ CONTEXT_EDGE_TOKEN_FILE: "", CONTEXT_EDGE_TOKEN: `cet_${"x".repeat(43)}` });
    expect(wrong).toMatchObject({ code: 6, told: [{ event: "failed", code: "UNAUTHENTICATED" }] });
    const viewer = await train({ CONTEXT_EDGE_TOKEN_FILE: "", CONTEXT_EDGE_TOKEN: await hub.token("viewer") });
    expect(viewer).toMatchObject({ code: 6, told: [{ event: "failed", code: "FORBIDDEN" }] });
    expect(await hub.versions(model)).toEqual([]);
  });

  test("signed with a key that the hub does not know ends 6, and goes on with the right key without training again", async () => {
    const stranger = join(hub.dir, "stranger.pem");
    writeFileSync(stranger, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
    const refused = await train({ CONTEXT_EDGE_RELEASE_KEY_FILE: stranger });
    expect(refused.code).toBe(6);
    expect(refused.told.at(-1)).toMatchObject({ code: "STATEMENT_REFUSED" });
    const mended = await train();
    expect([mended.code, epochsOf(mended.told)], mended.stderr).toEqual([0, []]);
    const pem = createPublicKey(readFileSync(hub.releaseKeyFile)).export({ format: "jwk" });
    const id = createHash("sha256")
      .update(Buffer.from(pem.x ?? "", "base64url"))
      .digest("hex");
    expect((await onlyVersion()).signed_by).toBe(id);
  });

  test("takes a name that is free by itself, and refuses one that was given and is taken", async () => {
    const first = await train({ TRAINING_VERSION: "v9" });
    expect(first.code, first.stderr).toBe(0);
    const taken = await train({ TRAINING_VERSION: "v9", TRAINING_SEED: "5" });
    expect(taken.told.at(-1)).toMatchObject({ event: "failed", code: "VERSION_CONFLICT", exit: 6 });
    expect(epochsOf(taken.told)).toEqual([]);
    for (const seed of ["6", "7"]) expect((await train({ TRAINING_SEED: seed })).code).toBe(0);
    const names = (await hub.versions(model)).map(({ version_id: id }) => id).toSorted();
    const day = names[0];
    expect(day).toMatch(/^\d{4}\.\d\d\.\d\d$/);
    expect(names).toEqual([day, `${day}-2`, "v9"]);
  });

  test("with a wrong setting ends 2 and names it, on stderr for people", async () => {
    const { code, stderr } = await train({ TRAINING_JSON: "", TRAINING_EPOCHS: "many" });
    expect(code).toBe(2);
    expect(stderr).toContain("TRAINING_EPOCHS");
  });
});
