// Inputs for a model of which only the metadata is known: the smallest legal shapes, and values every model accepts.
import type { Golden, ModelMetadata, Tensor } from "@context-edge/protocol";

const SYNTHETIC_VALUE: Record<string, number | boolean | string> = {
  BOOL: false,
  // Zero is a legal index of every embedding; other integers may not be.
  INT8: 0,
  INT16: 0,
  INT32: 0,
  INT64: 0,
  UINT8: 0,
  UINT16: 0,
  UINT32: 0,
  UINT64: 0,
  FP32: 0.5,
  FP64: 0.5,
  BYTES: "",
};
const MAX_ELEMENTS = 16 * 1024 * 1024;

/** @returns sets of inputs to send in turn: the golden ones when they fit this model, else one synthetic set; or why not. */
export function inputsFor(metadata: ModelMetadata, golden: Golden | null): Tensor[][] | string {
  const names = metadata.inputs.map((input) => input.name).toSorted();
  const fits = (sample: Golden["samples"][number]) =>
    sample.inputs
      .map((input) => input.name)
      .toSorted()
      .join("\n") === names.join("\n");
  if (golden && golden.samples.length > 0 && golden.samples.every(fits)) {
    return golden.samples.map((sample) => sample.inputs);
  }
  const inputs: Tensor[] = [];
  for (const { name, datatype, shape } of metadata.inputs) {
    const value = SYNTHETIC_VALUE[datatype];
    // FP16 and BF16 have no JSON form in the protocol.
    if (value === undefined)
      return `inputs of type ${datatype} cannot be written as JSON; give the version golden samples`;
    const concrete = shape.map((size) => (size < 1 ? 1 : size));
    const elements = concrete.reduce((product, size) => product * size, 1);
    if (elements > MAX_ELEMENTS) return `input ${name} has ${elements} elements, too many to write as JSON`;
    inputs.push({ name, datatype, shape: concrete, data: Array.from({ length: elements }, () => value) });
  }
  return [inputs];
}
