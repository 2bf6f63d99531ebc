// Python signs, TypeScript verifies: both sides make of one document and one key the same envelope, and break it alike.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSigningKey } from "@context-edge/demo/keys.ts";
import { MODELS_DIR } from "@context-edge/demo/seed.ts";
import { type Envelope, Golden, openEnvelope, seal, Statement, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execute, findPython } from "./python.ts";

const python = await findPython();
/** The statement that `golden` and an instant make, signed as a training run signs it. */
const SIGN = `
import json, sys
from datetime import datetime
from pathlib import Path
from training.signing.keys import load_release_key
from training.signing.statement import Statement, Variant
key, golden = load_release_key(Path(sys.argv[1])), json.loads(Path(sys.argv[2]).read_text())
variants = (Variant("ab" * 32, 4711, "onnx"), Variant("cd" * 32, 815, "trt", {"sm": "8.7", "tensorrt": "10.3.0"}))
moment = datetime.fromisoformat("2026-11-25T01:02:03.456Z")
print(json.dumps(Statement("pumpe", "2026.11.25-2", moment, variants, golden, 7).sign(key)))
`;

describe.skipIf(!python.ok)("a statement signed by Python", () => {
  let dir: string;
  let keyFile: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "context-edge-statement-"));
    keyFile = join(dir, "release.key.pem");
    writeFileSync(keyFile, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function sign(goldenFile: string): Promise<Envelope> {
    const { stdout, stderr } = await execute(python.ok ? python.path : "", ["-c", SIGN, keyFile, goldenFile]);
    expect(stderr).toBe("");
    return JSON.parse(stdout) as Envelope;
  }
  const open = (envelope: unknown) => {
    const keys = [loadSigningKey(keyFile).publicKey];
    return openEnvelope(envelope, { payloadType: STATEMENT_PAYLOAD_TYPE, keys, schema: Statement });
  };

  test("is verified by the hub's and the agent's own code, and says what was meant, golden samples of the demo included", async () => {
    const goldenFile = join(MODELS_DIR, "v2.1/golden.json");
    const opened = open(await sign(goldenFile));
    expect(opened).toMatchObject({ ok: true, keyId: loadSigningKey(keyFile).publicKey.id });
    expect(opened.ok && opened.value).toEqual({
      schema: 1,
      model: "pumpe",
      version: "2026.11.25-2",
      release: Date.parse("2026-11-25T01:02:03.456Z"),
      minimum_release: 7,
      created_at: "2026-11-25T01:02:03.456Z",
      variants: [
        { digest: "ab".repeat(32), size_bytes: 4_711, format: "onnx", platform: {} },
        { digest: "cd".repeat(32), size_bytes: 815, format: "trt", platform: { sm: "8.7", tensorrt: "10.3.0" } },
      ],
      golden: Golden.parse(JSON.parse(readFileSync(goldenFile, "utf8"))),
    });
  });

  test("is byte for byte what TypeScript seals of the same document with the same key", async () => {
    const golden = join(dir, "golden.json");
    // Neither side escapes what UTF-8 can hold; numbers are the shortest that come back the same.
    writeFileSync(golden, JSON.stringify({ tolerance: { größe: { absolute: 0.02, relative: 0 } }, samples: [] }));
    const signed = await sign(golden);
    const document: unknown = JSON.parse(Buffer.from(signed.payload, "base64").toString());
    expect(seal(STATEMENT_PAYLOAD_TYPE, document, loadSigningKey(keyFile))).toEqual(signed);
  });

  test("is refused when a single byte of it is another", async () => {
    const signed = await sign(join(MODELS_DIR, "v2.1/golden.json"));
    const payload = Buffer.from(signed.payload, "base64");
    payload[payload.length - 2] = (payload.at(-2) ?? 0) ^ 1;
    expect(open({ ...signed, payload: payload.toString("base64") })).toEqual({
      ok: false,
      problem: "SIGNATURE_INVALID",
    });
  });
});
