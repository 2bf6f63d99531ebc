// What one device of a group is asked to run: waves, pauses, platforms, and statements that do not fit.
import { isInWave, type Manifest, type Target } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { fakeModel } from "../testing/fake-model.ts";
import { sealStatement, targetOf, testKey } from "../testing/signing.ts";
import { wishOf } from "./wish.ts";

const key = testKey();
const stranger = testKey();
const model = fakeModel({ version: "v2.1" });
const before = fakeModel({ version: "v2.0" });
const NOW = Date.parse("2026-06-01T00:00:00Z");
const inventory = { agent_version: "1", arch: "arm64", sm: "8.7" };

function asked(target: Target, more: Partial<Manifest> = {}) {
  const manifest: Manifest = {
    schema: 1,
    group: "pilot",
    sequence: 1,
    issued_at: "2026-05-31T00:00:00Z",
    expires_at: "2026-06-02T00:00:00Z",
    models: [target],
    ...more,
  };
  return wishOf({ manifest, model: "default", device: "edge-001", inventory, releaseKeys: [key.publicKey], now: NOW })
    .wish;
}
const variants = (platform: object) => [{ digest: model.digest, size_bytes: 1, platform }];
const withStatement = (statement: Target["target"]["statement"]) =>
  targetOf(model, key, { target: { version: model.version, statement } });

test("a device in the wave is asked for the target, with all that the installation needs", () => {
  expect(asked(targetOf(model, key, { retry: 3 }))).toMatchObject({
    is: "candidate",
    candidate: {
      version: "v2.1",
      digest: model.digest,
      sizeBytes: 2_000,
      format: "onnx",
      retry: 3,
      deploymentId: "deploy-v2.1",
    },
  });
});

test("devices outside the wave are asked for the previous version, or for nothing when there is none", () => {
  const share = 0;
  const previous = { version: before.version, statement: sealStatement(before, key) };
  expect(asked(targetOf(model, key, { share, previous }))).toMatchObject({ candidate: { version: "v2.0" } });
  expect(asked(targetOf(model, key, { share }))).toEqual({ is: "nothing", why: "outside-wave" });
});

test("a share in between asks exactly those devices that protocol's own function names", () => {
  const target = targetOf(model, key, { share: 0.5 });
  const isAsked = asked(target).is === "candidate";
  expect(isAsked).toBe(isInWave("edge-001", target.deployment_id, 0.5));
});

test.each<[string, ReturnType<typeof asked>, string]>([
  ["a paused target", asked(targetOf(model, key, { paused: true })), "paused"],
  ["a manifest past its expiry", asked(targetOf(model, key), { expires_at: "2026-05-31T12:00:00Z" }), "expired"],
  ["another model's target", asked(targetOf(model, key, { model: "second" })), "not-named"],
])("%s asks for nothing", (_what, wish, why) => {
  expect(wish).toEqual({ is: "nothing", why });
});

test.each<[string, Target, string]>([
  ["a statement by a stranger", withStatement(sealStatement(model, stranger)), "KEY_UNKNOWN"],
  ["another version's statement", withStatement(sealStatement(before, key)), "STATEMENT_MISMATCH"],
  ["another model's statement", withStatement(sealStatement(model, key, { model: "second" })), "STATEMENT_MISMATCH"],
  [
    "a build for another GPU",
    withStatement(sealStatement(model, key, { variants: variants({ sm: "7.2" }) })),
    "NO_COMPATIBLE_VARIANT",
  ],
])("%s is impossible here, and says so", (_what, target, code) => {
  expect(asked(target)).toMatchObject({
    is: "impossible",
    conclusion: { outcome: "rejected", code },
    candidate: { version: "v2.1" },
  });
});

test("the variant that states the most fits best; aarch64 and arm64 are one processor", () => {
  const particular = "c".repeat(64);
  const several = [...variants({}), { digest: particular, size_bytes: 1, platform: { arch: "aarch64", sm: "8.7" } }];
  expect(asked(withStatement(sealStatement(model, key, { variants: several })))).toMatchObject({
    candidate: { digest: particular },
  });
});
