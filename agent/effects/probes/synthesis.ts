// Inputs for a model of which only the metadata is known: the smallest legal shapes, and values every model accepts.
import type { Golden, ModelMetadata, Tensor } from "@context-edge/protocol";

type Sample = Golden["samples"][number];

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
  FP16: 0.5,
  BF16: 0.5,
  FP32: 0.5,
  FP64: 0.5,
  BYTES: "",
};
const FLOATS: readonly string[] = ["FP16", "BF16", "FP32", "FP64"];
const MAX_ELEMENTS = 16 * 1024 * 1024;

/** @returns sets of inputs to send in turn: the golden ones when they fit this model, else one synthetic set; or why not. */
export function inputsFor(metadata: ModelMetadata, golden: Golden | null): Tensor[][] | string {
  const samples = golden?.samples ?? [];
  if (samples.length > 0 && samples.every((sample) => fits(metadata, sample))) {
    return samples.map((sample) => inputsOf(metadata, sample));
  }
  const inputs: Tensor[] = [];
  for (const { name, datatype, shape } of metadata.inputs) {
    const value = SYNTHETIC_VALUE[datatype];
    if (value === undefined) return `inputs of type ${datatype} are not known; give the version golden samples`;
    const concrete = concreteShape(shape, name, samples);
    const elements = concrete.reduce((product, size) => product * size, 1);
    if (elements > MAX_ELEMENTS) return `input ${name} has ${elements} elements, too many to send`;
    inputs.push({ name, datatype, shape: concrete, data: Array.from({ length: elements }, () => value) });
  }
  return [inputs];
}

/** The inputs of a sample as this model wants them: an engine of half precision is asked in half precision. */
export function inputsOf(metadata: ModelMetadata, sample: Sample): Tensor[] {
  return sample.inputs.map((input) => {
    const wanted = metadata.inputs.find(({ name }) => name === input.name)?.datatype ?? input.datatype;
    const isRewritten = FLOATS.includes(wanted) && FLOATS.includes(input.datatype);
    return isRewritten ? { ...input, datatype: wanted } : input;
  });
}

function fits({ inputs }: ModelMetadata, sample: Sample): boolean {
  const isThere = inputs.every(({ name, shape }) =>
    sample.inputs.some((input) => input.name === name && isInstance(input.shape, shape)),
  );
  return isThere && sample.inputs.length === inputs.length;
}

/** Sizes under 1 are dynamic: whatever a golden sample has there, else 1. */
function concreteShape(shape: readonly number[], name: string, samples: readonly Sample[]): number[] {
  const known = samples[0]?.inputs.find((input) => input.name === name && isInstance(input.shape, shape));
  return shape.map((size, index) => (size < 1 ? Math.max(1, known?.shape[index] ?? 1) : size));
}

function isInstance(concrete: readonly number[], shape: readonly number[]): boolean {
  return concrete.length === shape.length && shape.every((size, index) => size < 1 || size === concrete[index]);
}
