// Tensors as bytes: every type there and back, what is no answer, and a probe that speaks to a service which wants them so.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProbePolicy, type Tensor } from "@context-edge/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeTriton } from "../../testing/fake-triton.ts";
import { loopbackServer } from "../../testing/loopback-server.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { http } from "../http.ts";
import { binaryResponse, HEADER_LENGTH, inferBody } from "./binary-tensors.ts";
import { oipClient } from "./oip-client.ts";
import { oipProbe } from "./oip.ts";

const never = new AbortController().signal;
const policy = ProbePolicy.parse({ warmup_ms: 10, window_ms: 2_000, samples: 5, warmup_requests: 1, pace_ms: 0 });
const tensor = (datatype: string, data: Tensor["data"]): Tensor => ({
  name: "x",
  datatype,
  shape: [data.length],
  data,
});

/** A request's tensor, read as the service would answer it. */
function roundTrip(datatype: string, data: Tensor["data"]): unknown {
  const { bytes, headers } = inferBody([tensor(datatype, data)], { outputs: [], speaksBinary: true });
  const length = Number(headers[HEADER_LENGTH]);
  const head = JSON.parse(Buffer.from(bytes).subarray(0, length).toString()) as { inputs: object[] };
  const answer = Buffer.from(JSON.stringify({ model_name: "m", outputs: head.inputs }));
  const read = binaryResponse(Buffer.concat([answer, Buffer.from(bytes).subarray(length)]), answer.length);
  return (read as { outputs: Tensor[] } | null)?.outputs[0]?.data;
}

test.each<[string, Tensor["data"]]>([
  ["FP16", [0.5, -2, 65_504, 0.333251953125]],
  ["BF16", [0.5, -2, 3.140625, 256]],
  ["FP32", [0.5, -2, 16_777_216]],
  ["FP64", [0.1, -1e300]],
  ["INT8", [-128, 127]],
  ["INT16", [-32_768, 7]],
  ["INT32", [-2_147_483_648, 7]],
  ["INT64", [-9_007_199_254_740_991, 7]],
  ["UINT8", [255]],
  ["UINT16", [65_535]],
  ["UINT32", [4_294_967_295]],
  ["UINT64", [9_007_199_254_740_991]],
  ["BOOL", [true, false]],
  ["BYTES", ["", "Übergröße", "a,b"]],
])("%s survives the way out and back", (datatype, data) => {
  expect(roundTrip(datatype, data)).toEqual(data);
});

test("a number in BF16 is the nearest there is, and not a number stays so", () => {
  fc.assert(
    fc.property(fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true }), (value) => {
      const [near] = roundTrip("BF16", [value]) as number[];
      // Eight bits of significand: half a step is at most 2^-8 of the number.
      expect(Math.abs((near ?? Number.NaN) - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8 + 1e-38);
    }),
  );
  expect(roundTrip("BF16", [Number.NaN, Infinity])).toEqual([Number.NaN, Infinity]);
  expect(roundTrip("FP16", [Number.NaN, -Infinity])).toEqual([Number.NaN, -Infinity]);
});

test("plain JSON is spoken where nobody asked for more, and where a type has no bytes", () => {
  const plain = { outputs: [{ name: "y", datatype: "FP32" }], speaksBinary: false };
  expect(inferBody([tensor("FP32", [1])], plain).headers).toEqual({ "content-type": "application/json" });
  const unknown = inferBody([tensor("COMPLEX64", [1])], { ...plain, speaksBinary: true });
  expect(unknown.headers).toEqual({ "content-type": "application/json" });
  const half = inferBody([tensor("FP32", [1])], { outputs: [{ name: "y", datatype: "FP16" }], speaksBinary: false });
  expect(half.headers[HEADER_LENGTH]).toBeDefined();
});

test("every output is named, for an answer holds no others", () => {
  const outputs = [
    { name: "y", datatype: "FP16" },
    { name: "score", datatype: "FP32" },
  ];
  const { bytes, headers } = inferBody([tensor("FP16", [1])], { outputs, speaksBinary: false });
  const head: unknown = JSON.parse(Buffer.from(bytes).subarray(0, Number(headers[HEADER_LENGTH])).toString());
  expect(head).toEqual({
    inputs: [{ name: "x", datatype: "FP16", shape: [1], parameters: { binary_data_size: 2 } }],
    outputs: [
      { name: "y", parameters: { binary_data: true } },
      { name: "score", parameters: { binary_data: true } },
    ],
  });
});

test.each<[string, object, number]>([
  ["shorter than it says", { datatype: "FP16", size: 8 }, 6],
  ["of half an element", { datatype: "FP32", size: 6 }, 6],
  ["of a type nobody knows", { datatype: "FP8", size: 4 }, 4],
  ["of text whose lengths do not add up", { datatype: "BYTES", size: 6 }, 6],
])("a tensor %s is no answer", (_, { datatype, size }: { datatype?: string; size?: number }, given) => {
  const output = { name: "y", datatype, shape: [4], parameters: { binary_data_size: size } };
  const head = Buffer.from(JSON.stringify({ model_name: "m", outputs: [output] }));
  expect(binaryResponse(Buffer.concat([head, Buffer.alloc(given, 0xff)]), head.length)).toBeNull();
});

test("a header that is longer than the answer, or no JSON, is no answer", () => {
  expect(binaryResponse(Buffer.from("{}"), 3)).toBeNull();
  expect(binaryResponse(Buffer.from("{}"), 2)).toBeNull();
  expect(binaryResponse(Buffer.from('{"outputs": NaN}'), 16)).toBeNull();
});

describe("a probe", () => {
  async function triton(more: Partial<Awaited<ReturnType<typeof fakeTriton>>>) {
    const link = join(await tempDir(), "model.plan");
    await writeFile(link, "v1");
    const fake = Object.assign(await fakeTriton(link), more);
    await fetch(new URL("/v2/repository/models/default/load", fake.url), { method: "POST" });
    return { fake, probe: oipProbe(oipClient(http({}), fake.url, "default", undefined)) };
  }
  const output = (name: string, datatype: string, data: number[]) => ({ name, datatype, shape: [1, 2], data });
  const goldenOf = (...outputs: Tensor[]) => ({
    tolerance: Object.fromEntries(outputs.map(({ name }) => [name, { absolute: 0.01, relative: 0 }])),
    // Written by a training job in single precision, whatever the engine wants.
    samples: [{ inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [1.5, -3] }], outputs }],
  });

  test.each([
    ["FP16", ["model_repository"]],
    ["BF16", ["binary_tensor_data"]],
    ["FP32", ["binary_tensor_data"]],
  ])("times and checks an engine of %s in binary, with all its outputs", async (datatype, extensions) => {
    const { fake, probe } = await triton({ datatype, extensions, echoes: { copy: "FP32" } });
    const golden = goldenOf(output("y", datatype, [3, -6]), output("copy", "FP32", [1.5, -3]));
    expect(await probe.look(never)).toMatchObject({ ready: true });
    expect(await probe.checkGolden({ policy, golden }, never)).toEqual({ checked: 1, failed: 0 });
    expect(await probe.measure({ policy, golden: null }, never)).toMatchObject({
      samples: 5,
      errors: 0,
      tags: { runtime: "tensorrt_plan", server: "triton 2.55.0" },
    });
    expect(new Set(fake.forms)).toEqual(new Set(["binary"]));
  });

  test("speaks JSON with a server that announces nothing else", async () => {
    const { fake, probe } = await triton({ datatype: "FP32", extensions: [] });
    const golden = goldenOf(output("y", "FP32", [3, -6]));
    expect(await probe.checkGolden({ policy, golden }, never)).toEqual({ checked: 1, failed: 0 });
    expect(await probe.isAnswering({ policy, golden }, never)).toBe(true);
    expect(new Set(fake.forms)).toEqual(new Set(["json"]));
  });

  test("a model that is not loaded is told with the reason the server keeps", async () => {
    const link = join(await tempDir(), "model.plan");
    await writeFile(link, "v1");
    const fake = Object.assign(await fakeTriton(link), { refuses: () => "Internal: CUDA_ERROR_OUT_OF_MEMORY" });
    await fetch(new URL("/v2/repository/models/default/load", fake.url), { method: "POST" });
    const probe = oipProbe(oipClient(http({}), fake.url, "default", undefined));
    expect(await probe.look(never)).toMatchObject({
      ready: false,
      detail: expect.stringContaining("CUDA_ERROR_OUT_OF_MEMORY"),
    });
  });

  test.each([
    ["an empty body", 200, "", true],
    ["MLServer's JSON", 200, '{"ready": true}', true],
    ["JSON that says no", 200, '{"ready": false}', false],
    ["a refusal", 503, "", false],
  ])("health of %s is understood", async (_, status, body, ready) => {
    const url = await loopbackServer((request, response) => {
      const isHealth = request.url?.endsWith("/ready") === true;
      const metadata = { name: "default", platform: "p", inputs: [], outputs: [] };
      response.writeHead(isHealth ? status : 200).end(isHealth ? body : JSON.stringify(metadata));
    });
    expect((await oipProbe(oipClient(http({}), url, "default", undefined)).look(never)).ready).toBe(ready);
  });

  test("fault 43: a service that takes every request and answers none ends the run in time, with nothing but errors", async () => {
    const url = await loopbackServer((request, response) => {
      const metadata = { name: "m", platform: "p", inputs: [{ name: "x", datatype: "FP32", shape: [1] }], outputs: [] };
      if (request.method === "GET") response.end(JSON.stringify(metadata));
    });
    const probe = oipProbe(oipClient(http({}), url, "default", undefined));
    const impatient = { ...policy, request_timeout_ms: 50, window_ms: 200 };
    expect(await probe.measure({ policy: impatient, golden: null }, never)).toMatchObject({ p95_ms: null });
    expect(await probe.isAnswering({ policy: impatient, golden: null }, never)).toBe(false);
  });
});
