// Names that travel on the wire. Each schema refuses anything that could be mistaken for a path.
import { z } from "zod";

/** Letters, digits, `.`, `_`, `-`; never starts with a dot, so `..`, hidden files and `.agent` are out. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const safeName = (what: string) =>
  z
    .string()
    .min(1)
    .max(128)
    .regex(SAFE_NAME, `${what} may hold letters, digits, ".", "_" and "-", and must start with a letter or digit`);

export const DeviceId = safeName("a device id");
export type DeviceId = z.infer<typeof DeviceId>;

export const GroupName = safeName("a group name");
export type GroupName = z.infer<typeof GroupName>;

export const ModelName = safeName("a model name");
export type ModelName = z.infer<typeof ModelName>;

/** The model that is meant when none is named. */
export const DEFAULT_MODEL: ModelName = "default";

export const VersionId = safeName("a version");
export type VersionId = z.infer<typeof VersionId>;

/** sha256 of an artifact's bytes: 64 lowercase hex digits, without a prefix. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, "a digest is 64 lowercase hex digits (sha256)");
export type Digest = z.infer<typeof Digest>;

/** RFC 3339 in UTC, e.g. `2026-01-31T08:00:00.000Z`. */
export const Timestamp = z.iso.datetime();
export type Timestamp = z.infer<typeof Timestamp>;

/**
 * A time in an address: RFC 3339 with any offset, understood in UTC. A `+` that nobody encoded arrives as a space.
 * On the way out it is a Timestamp.
 */
export const QueryTime = z
  .string()
  .transform((text) => text.replace(/ (?=\d\d:\d\d$)/, "+"))
  .pipe(z.iso.datetime({ offset: true }))
  .transform((text) => new Date(text).toISOString())
  .meta({ format: "date-time" });

/** A share of something, 0 to 1. */
export const Fraction = z.number().min(0).max(1);

/** Sequences only rise; they stay below 2^53 so every JSON reader agrees on them. */
export const Sequence = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
