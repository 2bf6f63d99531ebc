// The version statement: what the release key signs on the training side. It binds a version to its bytes and to its proof.
import { z } from "zod";
import { BuildRecipe } from "./build.ts";
import { Tensor } from "./inference.ts";
import { Digest, ModelName, Sequence, Timestamp, VersionId } from "./names.ts";

/** What a variant needs. A missing field means "any"; `{}` fits every device (portable files such as ONNX). */
export const Platform = z.object({
  arch: z.string().optional(),
  /** Module name as the device tree gives it, e.g. `NVIDIA Jetson Orin NX`. */
  module: z.string().optional(),
  /** GPU compute capability, e.g. `8.7`. */
  sm: z.string().optional(),
  /** TensorRT of the inference process, e.g. `10.3.0`. */
  tensorrt: z.string().optional(),
  /** Built version-compatible (TensorRT 8.6 or newer on both sides): runs on `tensorrt` and on later ones. */
  version_compatible: z.boolean().optional(),
  /** Built for a range of GPUs: `ampere+` runs on SM 8.0 and later, whatever `sm` says. */
  hardware_compatibility: z.enum(["none", "ampere+"]).optional(),
});
export type Platform = z.infer<typeof Platform>;

export const Variant = z
  .object({
    digest: Digest,
    size_bytes: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
    /** Without a dot: `trt`, `engine`, `onnx`. The file on the device is `model-<version>.<format>`. */
    format: z
      .string()
      .regex(/^[a-z0-9]{1,16}$/)
      .default("trt"),
    platform: Platform.default({}),
    /** The file is not what runs: each device builds its engine from it. */
    build: BuildRecipe.optional(),
  })
  .refine(({ build, format }) => build === undefined || format === "onnx", {
    message: "only an onnx file can have a build recipe",
    path: ["format"],
  });
/** One artifact of a version for one platform, identified by its digest. */
export type Variant = z.infer<typeof Variant>;

export const Tolerance = z.object({ absolute: z.number().min(0), relative: z.number().min(0).default(0) });
export type Tolerance = z.infer<typeof Tolerance>;

/** Inputs with known answers: a candidate that answers otherwise is wrong, however fast it is. */
export const Golden = z.object({
  /** By output name. */
  tolerance: z.record(z.string(), Tolerance),
  samples: z.array(z.object({ inputs: z.array(Tensor).min(1), outputs: z.array(Tensor).min(1) })).max(256),
});
export type Golden = z.infer<typeof Golden>;

/**
 * 2 has build recipes. An agent that knows only 1 takes nothing of a statement of 2: it would install the file that is
 * only there to be built from. docs/decisions/0008-engines-built-on-the-device.md
 */
const StatementSchema = z.union([z.literal(1), z.literal(2)]);

/** The fields alone, for whoever reads one of them; a statement is only what the rules below let through. */
export const StatementFields = z.object({
  schema: StatementSchema,
  model: ModelName,
  version: VersionId,
  /** Rises with every release of a model. */
  release: Sequence,
  /**
   * No release below this may be installed any more by a device on which this version proved itself: the release key leaves
   * behind what is known to be bad, where the hub key alone could bring it back. docs/decisions/0006-minimum-release.md
   */
  minimum_release: Sequence.optional(),
  created_at: Timestamp,
  variants: z.array(Variant).min(1).max(64),
  golden: Golden.optional(),
});

export const Statement = StatementFields.refine(({ schema, variants }) => schema === statementSchemaOf(variants), {
  message: "schema is 2 where a variant has a build recipe, and 1 where none has",
  path: ["schema"],
}).refine(({ golden, variants }) => golden !== undefined || !variants.some(({ build }) => isGuessed(build)), {
  message: "int8 is built by guesses where the file says nothing: only golden samples can tell, and there are none",
  path: ["golden"],
});
export type Statement = z.infer<typeof Statement>;

/** @returns the schema of a statement that names these variants */
export function statementSchemaOf(variants: readonly Pick<Variant, "build">[]): z.infer<typeof StatementSchema> {
  return variants.some(({ build }) => build !== undefined) ? 2 : 1;
}

const isGuessed = (build: BuildRecipe | undefined) => build?.precision.includes("int8") === true;

export const STATEMENT_PAYLOAD_TYPE = "application/vnd.context-edge.statement+json";
