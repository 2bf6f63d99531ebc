// Tensors on the wire: plain JSON, or the binary tensor data extension of the Open Inference Protocol (KServe, Triton), which
// half-precision numbers need, and which keeps the cost of JSON out of what is timed.
import type { Tensor } from "@context-edge/protocol";
import { z } from "zod";

/** Length of the JSON part, in bytes; the raw tensors follow in the order they are named. */
export const HEADER_LENGTH = "inference-header-content-length";
/** As a server announces it among its extensions (`GET /v2`). */
export const BINARY_EXTENSION = "binary_tensor_data";

/** Types with no form in the protocol's JSON. */
const BINARY_ONLY: readonly string[] = ["FP16", "BF16"];

/** One inference request, written once and sent as often as needed. */
export interface InferBody {
  bytes: Uint8Array;
  headers: Record<string, string>;
}

/** @param outputs every output of the model: naming only some would leave the others out of the answer */
export interface Wire {
  outputs: readonly { name: string; datatype: string }[];
  /** The server announced the extension. */
  speaksBinary: boolean;
}

export function inferBody(inputs: readonly Tensor[], { outputs, speaksBinary }: Wire): InferBody {
  const isNeeded = [...inputs, ...outputs].some(({ datatype }) => BINARY_ONLY.includes(datatype));
  const isPossible = inputs.every(({ datatype }) => CODECS[datatype] !== undefined);
  if (!isPossible || !(isNeeded || speaksBinary)) {
    return { bytes: json({ inputs }), headers: { "content-type": "application/json" } };
  }
  const parts: Uint8Array[] = [];
  const named = inputs.map(({ name, datatype, shape, data }) => {
    const part = CODECS[datatype]?.encode(data) ?? new Uint8Array();
    parts.push(part);
    return { name, datatype, shape, parameters: { binary_data_size: part.byteLength } };
  });
  const wanted = outputs.map(({ name }) => ({ name, parameters: { binary_data: true } }));
  const head = json({ inputs: named, ...(wanted.length > 0 ? { outputs: wanted } : {}) });
  return {
    bytes: Buffer.concat([head, ...parts]),
    headers: { "content-type": "application/octet-stream", [HEADER_LENGTH]: String(head.byteLength) },
  };
}

const Head = z.looseObject({
  outputs: z.array(
    z.looseObject({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.number().int()),
      data: z.array(z.union([z.number(), z.boolean(), z.string()])).optional(),
      parameters: z.looseObject({ binary_data_size: z.number().int().min(0).optional() }).optional(),
    }),
  ),
});

/** @returns the answer as if it had come as JSON, or null when it is not what its header says */
export function binaryResponse(bytes: Uint8Array, headerLength: number): unknown {
  if (!(headerLength > 0 && headerLength <= bytes.byteLength)) return null;
  let at = headerLength;
  let head: z.infer<typeof Head>;
  try {
    head = Head.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(0, headerLength))));
  } catch {
    return null;
  }
  const outputs: Tensor[] = [];
  for (const { name, datatype, shape, data, parameters } of head.outputs) {
    const size = parameters?.binary_data_size;
    const part = size === undefined ? null : bytes.subarray(at, at + size);
    at += size ?? 0;
    const values = part === null ? data : part.byteLength === size ? decode(part, datatype) : undefined;
    if (values === undefined) return null;
    outputs.push({ name, datatype, shape, data: values });
  }
  return { ...head, outputs };
}

type Data = Tensor["data"];
interface Codec {
  encode(data: Data): Uint8Array;
  /** @param part a copy of its own, so that any alignment will do */
  decode(part: ArrayBuffer): Data;
  elementBytes: number;
}

function decode(part: Uint8Array, datatype: string): Data | undefined {
  const codec = CODECS[datatype];
  if (!codec || part.byteLength % codec.elementBytes !== 0) return undefined;
  try {
    // Not `slice`: a Buffer's is a view of a pool that holds other things too.
    return codec.decode(new Uint8Array(part).buffer);
  } catch {
    // Text whose lengths do not add up.
    return undefined;
  }
}

type Numbers = Float16Array | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array;
type More = Uint16Array | Uint32Array;
interface Kind {
  new (values: number[]): Numbers | More;
  new (buffer: ArrayBuffer): Numbers | More;
  readonly BYTES_PER_ELEMENT: number;
}

/** Little-endian as the extension wants it, which is also what every machine this runs on has in memory. */
function numbers(Kind: Kind): Codec {
  return {
    elementBytes: Kind.BYTES_PER_ELEMENT,
    encode: (data) => bytesOf(new Kind(data.map(Number))),
    decode: (part) => [...new Kind(part)],
  };
}

/** A golden sample cannot tell 64-bit numbers beyond 2^53 apart, since it travels as JSON. */
function wide(Kind: typeof BigInt64Array | typeof BigUint64Array): Codec {
  return {
    elementBytes: 8,
    encode: (data) => bytesOf(new Kind(data.map((value) => BigInt(Math.trunc(Number(value)))))),
    decode: (part) => Array.from(new Kind(part), Number),
  };
}

const BF16: Codec = {
  elementBytes: 2,
  encode(data) {
    // The upper half of a float32, rounded to even as hardware does; a NaN must not be rounded into an infinity.
    const bits = new Uint32Array(new Float32Array(data.map(Number)).buffer);
    const isNaN = (value: number) => (value & 0x7fff_ffff) > 0x7f80_0000;
    return bytesOf(Uint16Array.from(bits, (one) => (isNaN(one) ? 0x7fc0 : (one + 0x7fff + ((one >>> 16) & 1)) >>> 16)));
  },
  decode: (part) => [...new Float32Array(Uint32Array.from(new Uint16Array(part), (half) => half << 16).buffer)],
};

const BOOL: Codec = {
  elementBytes: 1,
  encode: (data) => Uint8Array.from(data, (value) => (value === true || value === 1 ? 1 : 0)),
  decode: (part) => Array.from(new Uint8Array(part), (value) => value !== 0),
};

/** Each element is its length as a 32-bit number, then its bytes; here they are text. */
const BYTES: Codec = {
  elementBytes: 1,
  encode(data) {
    const parts = data.flatMap((value) => {
      const text = Buffer.from(String(value));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.byteLength);
      return [length, text];
    });
    return Buffer.concat(parts);
  },
  decode(part) {
    const all = Buffer.from(part);
    const texts: string[] = [];
    for (let at = 0; at < all.byteLength;) {
      const end = at + 4 + all.readUInt32LE(at);
      if (end > all.byteLength) throw new RangeError("an element is longer than what came");
      texts.push(all.toString("utf8", at + 4, end));
      at = end;
    }
    return texts;
  },
};

const CODECS: Record<string, Codec | undefined> = {
  BOOL,
  INT8: numbers(Int8Array),
  INT16: numbers(Int16Array),
  INT32: numbers(Int32Array),
  INT64: wide(BigInt64Array),
  UINT8: numbers(Uint8Array),
  UINT16: numbers(Uint16Array),
  UINT32: numbers(Uint32Array),
  UINT64: wide(BigUint64Array),
  FP16: numbers(Float16Array),
  BF16,
  FP32: numbers(Float32Array),
  FP64: numbers(Float64Array),
  BYTES,
};

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
