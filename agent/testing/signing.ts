// Real keys and really signed documents for tests, so that nothing is verified with its eyes closed.
import { generateKeyPairSync } from "node:crypto";
import {
  ASSIGNMENT_PAYLOAD_TYPE,
  type BuildRecipe,
  type Envelope,
  type Hold,
  type Golden,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  ProbePolicy,
  seal,
  type SigningKey,
  signingKeyFromSeed,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  type Target,
  type Variant,
} from "@context-edge/protocol";
import type { z } from "zod";
import type { FakeModel } from "./fake-model.ts";

export interface TestKey extends SigningKey {
  /** SPKI PEM of the public half. */
  pem: string;
}

export function testKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { d = "" } = privateKey.export({ format: "jwk" });
  const key = signingKeyFromSeed(new Uint8Array(Buffer.from(d, "base64url")));
  return { ...key, pem: publicKey.export({ format: "pem", type: "spki" }) };
}

/** Answers the fake model gives with its usual factor of 2. */
export const GOLDEN: Golden = {
  tolerance: { y: { absolute: 0.01, relative: 0 } },
  samples: [
    {
      inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [1, 2] }],
      outputs: [{ name: "y", datatype: "FP32", shape: [1, 2], data: [2, 4] }],
    },
  ],
};

/** Short in every time, so that a whole transaction takes a blink. */
export const QUICK_POLICY: ProbePolicy = ProbePolicy.parse({
  cold_start_ms: 2_000,
  warmup_requests: 2,
  warmup_ms: 1,
  samples: 20,
  window_ms: 2_000,
  pace_ms: 1,
  min_samples: 5,
  request_timeout_ms: 1_000,
  baseline_floor_ms: 25,
  soak_ms: 20,
});

export function sealStatement(
  model: FakeModel,
  key: SigningKey,
  more: Partial<z.input<typeof Statement>> = {},
): Envelope {
  const variant: Variant = { digest: model.digest, size_bytes: model.bytes.length, format: "onnx", platform: {} };
  const statement = {
    schema: 1,
    model: "default",
    version: model.version,
    release: 1,
    created_at: "2026-01-01T00:00:00.000Z",
    variants: [variant],
    golden: GOLDEN,
    ...more,
  };
  return seal(STATEMENT_PAYLOAD_TYPE, Statement.parse(statement), key);
}

/** What an inventory says of a device that can build engines. */
export const CAN_BUILD = { tensorrt: "10.3.0.30", sm: "8.7", engine_builder: "trtexec", statements: 2 } as const;

/** The model is what each device builds its engine from. */
export function sealRecipe(
  model: FakeModel,
  key: SigningKey,
  build: z.input<typeof BuildRecipe>,
  more: Partial<z.input<typeof Statement>> = {},
): Envelope {
  const variant = { digest: model.digest, size_bytes: model.bytes.length, format: "onnx", platform: {}, build };
  return sealStatement(model, key, { schema: 2, variants: [variant], ...more });
}

export function targetOf(model: FakeModel, key: SigningKey, more: Partial<Target> = {}): Target {
  return {
    model: "default",
    deployment_id: `deploy-${model.version}`,
    share: 1,
    paused: false,
    retry: 0,
    target: { version: model.version, statement: sealStatement(model, key) },
    previous: null,
    policy: QUICK_POLICY,
    ...more,
  };
}

export function sealManifest(
  sequence: number,
  models: Target[],
  key: SigningKey,
  more: Partial<Manifest> = {},
): Envelope {
  const manifest = {
    schema: 1,
    group: "pilot",
    sequence,
    issued_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    models,
    ...more,
  };
  return seal(MANIFEST_PAYLOAD_TYPE, Manifest.parse(manifest), key);
}

export function sealAssignment(
  sequence: number,
  device: string,
  group: string,
  key: SigningKey,
  hold: Hold | null = null,
  issued_at: string = new Date().toISOString(),
): Envelope {
  return seal(ASSIGNMENT_PAYLOAD_TYPE, { schema: 1, device, group, sequence, issued_at, hold }, key);
}
