// Open Inference Protocol v2 over HTTP, as Triton and MLServer speak it: the parts a probe needs.
import { z } from "zod";

export const Tensor = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.number().int()),
  data: z.array(z.union([z.number(), z.boolean(), z.string()])),
});
/** Row-major, flattened; 64-bit integers travel as JSON numbers. */
export type Tensor = z.infer<typeof Tensor>;

export const InferRequest = z.object({ id: z.string().optional(), inputs: z.array(Tensor).min(1) });
export type InferRequest = z.infer<typeof InferRequest>;

export const InferResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  outputs: z.array(Tensor),
});
export type InferResponse = z.infer<typeof InferResponse>;

const TensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) });

/** `GET /v2/models/M`; -1 in a shape is a dynamic dimension. */
export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()).optional(),
  platform: z.string(),
  inputs: z.array(TensorMetadata),
  outputs: z.array(TensorMetadata),
  /** Not in the protocol: our services say here which file they serve, as `parameters.digest`. */
  parameters: z.record(z.string(), z.unknown()).optional(),
});
export type ModelMetadata = z.infer<typeof ModelMetadata>;

const Duration = z.object({ count: z.number(), ns: z.number() });

/** `GET /v2/models/M/stats`: cumulative counters since the model was loaded; there are no percentiles. */
export const ModelStats = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string().optional(),
      last_inference: z.number().optional(),
      inference_count: z.number(),
      execution_count: z.number(),
      inference_stats: z.object({ success: Duration, fail: Duration }),
    }),
  ),
});
export type ModelStats = z.infer<typeof ModelStats>;
