// A Triton of one model for tests: the trap of its reloads, its index, its control modes, and tensors in binary or JSON.
import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Tensor } from "@context-edge/protocol";
import { BINARY_EXTENSION, binaryResponse, HEADER_LENGTH, inferBody } from "../effects/probes/binary-tensors.ts";
import { loopbackServer } from "./loopback-server.ts";

export interface FakeTriton {
  url: string;
  /** Content of the file that is served; null when none is. */
  served(): string | null;
  /** Method and path of what came in, oldest first; health and metadata left out. */
  asked: string[];
  /** How infer requests came: `binary` or `json`. */
  forms: string[];
  mode: "explicit" | "none";
  /** Unloads are answered and never done, as while requests hold a model. */
  isHeld: boolean;
  /** What a load of this content says; null loads it. */
  refuses: (content: string) => string | null;
  extensions: readonly string[];
  datatype: string;
  /** Outputs beside `y`, each the input as it is, in this type. */
  echoes: Record<string, string>;
}

interface Loaded {
  content: string;
  /** max(mtime, ctime) following links, as Triton compares it. */
  changedMs: number;
}

/** @param link what the model's file is in its repository */
export async function fakeTriton(link: string): Promise<FakeTriton> {
  let loaded: Loaded | null = null;
  let reason = "";
  const fake: FakeTriton = {
    url: "",
    served: () => loaded?.content ?? null,
    asked: [],
    forms: [],
    mode: "explicit",
    isHeld: false,
    refuses: () => null,
    extensions: ["model_repository", "statistics", BINARY_EXTENSION],
    datatype: "FP16",
    echoes: {},
  };

  const load = async (): Promise<string | null> => {
    const content = await readFile(link, "utf8");
    const { mtimeMs } = await stat(await realpath(link));
    // Triton's own test for "modified": only something newer is.
    if (loaded && mtimeMs <= loaded.changedMs) return null;
    const refusal = fake.refuses(content);
    reason = refusal ?? "";
    // The old one stays until the new one is ready.
    if (refusal === null) loaded = { content, changedMs: mtimeMs };
    return refusal;
  };

  const answer = async (path: string, body: Buffer, request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, value?: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(value === undefined ? "" : JSON.stringify(value));
    };
    const shape = (name: string, datatype = fake.datatype) => ({ name, datatype, shape: [-1, 2] });
    const outputs = [shape("y"), ...Object.entries(fake.echoes).map(([name, type]) => shape(name, type))];
    switch (path) {
      case "/v2":
        return send(200, { name: "triton", version: "2.55.0", extensions: fake.extensions });
      case "/v2/health/ready":
        return send(200);
      case "/v2/models/default/ready":
        return send(loaded ? 200 : 400);
      case "/v2/models/default":
        if (!loaded) return send(400, { error: "Request for unknown model: 'default' is not found" });
        return send(200, { name: "default", platform: "tensorrt_plan", inputs: [shape("x")], outputs });
      case "/v2/repository/index":
        return send(200, [{ name: "default", version: "1", state: loaded ? "READY" : "UNAVAILABLE", reason }]);
      case "/v2/repository/models/default/unload":
        if (fake.mode === "none") return send(400, { error: "explicit model load / unload is not allowed" });
        if (!fake.isHeld) loaded = null;
        return send(200);
      case "/v2/repository/models/default/load": {
        if (fake.mode === "none") return send(400, { error: "explicit model load / unload is not allowed" });
        const refusal = await load();
        return refusal === null ? send(200) : send(400, { error: `failed to load 'default': ${refusal}` });
      }
      case "/v2/models/default/infer":
        if (!loaded) return send(400, { error: "not ready" });
        return infer(fake, outputs, { body, request, response });
      default:
        return send(404, { error: "no such path" });
    }
  };

  fake.url = await loopbackServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      if (request.method === "POST" && !path.endsWith("/infer")) fake.asked.push(path);
      void answer(path, Buffer.concat(chunks), request, response).catch(() => response.destroy());
    });
  });
  return fake;
}

/** sha256 of a content, as the agent would name the file. */
export function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** `y` is twice the input, an echo the input itself. Only what was named is answered, as the protocol says. */
function infer(
  fake: FakeTriton,
  outputs: readonly { name: string; datatype: string }[],
  exchange: { body: Buffer; request: IncomingMessage; response: ServerResponse },
): void {
  const { body, request, response } = exchange;
  const length = Number(request.headers[HEADER_LENGTH] ?? 0);
  fake.forms.push(length > 0 ? "binary" : "json");
  const asked = JSON.parse(body.subarray(0, length || undefined).toString()) as {
    inputs: Tensor[];
    outputs?: { name: string }[];
  };
  // A request in binary has the form of a binary answer: its inputs are read as if they were outputs.
  const read = length > 0 ? readInputs(body, length) : asked.inputs;
  const input = read[0];
  if (!input) return void response.writeHead(400).end(JSON.stringify({ error: "no input" }));
  const named = asked.outputs?.map(({ name }) => name);
  const answered = outputs
    .filter(({ name }) => named === undefined || named.includes(name))
    .map(({ name, datatype }) => ({
      name,
      datatype,
      shape: input.shape,
      data: name === "y" ? input.data.map((value) => Number(value) * 2) : input.data,
    }));
  if (length === 0) return void response.end(JSON.stringify({ model_name: "default", outputs: answered }));
  const { bytes, headers } = inferBody(answered, { outputs: [], speaksBinary: true });
  const headLength = Number(headers[HEADER_LENGTH]);
  const head = JSON.parse(Buffer.from(bytes).subarray(0, headLength).toString()) as { inputs: unknown };
  const written = Buffer.from(JSON.stringify({ model_name: "default", outputs: head.inputs }));
  response.writeHead(200, { [HEADER_LENGTH]: String(written.length) });
  response.end(Buffer.concat([written, Buffer.from(bytes).subarray(headLength)]));
}

function readInputs(body: Buffer, length: number): Tensor[] {
  const head = JSON.parse(body.subarray(0, length).toString()) as { inputs: unknown };
  const turned = Buffer.from(JSON.stringify({ outputs: head.inputs }));
  const read = binaryResponse(Buffer.concat([turned, body.subarray(length)]), turned.length) as {
    outputs: Tensor[];
  } | null;
  return read?.outputs ?? [];
}
