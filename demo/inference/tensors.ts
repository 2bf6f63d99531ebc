// Between Open Inference Protocol tensors (flat JSON arrays) and ONNX Runtime tensors (typed arrays).
import type { Tensor } from "@context-edge/protocol";
import * as ort from "onnxruntime-web";

type Convert = (data: Tensor["data"], shape: number[]) => ort.Tensor;

const FROM_JSON: Record<string, Convert> = {
  FP32: (data, shape) => new ort.Tensor("float32", Float32Array.from(data, Number), shape),
  INT64: (data, shape) =>
    new ort.Tensor(
      "int64",
      BigInt64Array.from(data, (value) => BigInt(value)),
      shape,
    ),
  INT32: (data, shape) => new ort.Tensor("int32", Int32Array.from(data, Number), shape),
  BOOL: (data, shape) => new ort.Tensor("bool", data.map(Boolean), shape),
};

/** @throws RangeError for a datatype this service does not take, SyntaxError for numbers that are none. */
export function toOrtTensor(tensor: Tensor): ort.Tensor {
  const convert = FROM_JSON[tensor.datatype];
  if (!convert) throw new RangeError(`datatype ${tensor.datatype} of input "${tensor.name}" is not supported`);
  return convert(tensor.data, tensor.shape);
}

export function fromOrtTensor(name: string, tensor: ort.Tensor | undefined): Tensor {
  if (!tensor) throw new RangeError(`the model gave no output "${name}"`);
  const shape = [...tensor.dims];
  switch (tensor.type) {
    case "float32":
      return { name, datatype: "FP32", shape, data: Array.from(tensor.data as Float32Array) };
    case "int64":
      return { name, datatype: "INT64", shape, data: Array.from(tensor.data as BigInt64Array, Number) };
    default:
      throw new RangeError(`output "${name}" has type ${tensor.type}, which this service does not give`);
  }
}
