// What a schema finds wrong, in plain words: whoever types a command need not know that there are schemas.
import { z } from "zod";

/** For `parse(value, { error: inWords })`. Words that a schema brings itself come first. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "it is missing" : `it must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `it must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return atLeast(issue.origin, Number(issue.minimum), issue.inclusive ?? true);
    case "too_big":
      return atMost(issue.origin, Number(issue.maximum));
    case "unrecognized_keys":
      return `it has fields that nobody knows: ${issue.keys.join(", ")}`;
    case "invalid_format":
      return FORMATS[issue.format] ?? "it is not of the right form";
    case "invalid_union":
      return issue.errors[0]?.[0]?.message ?? "it is not as expected";
    default:
      return "it is not as expected";
  }
};

const TYPES: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};
const FORMATS: Record<string, string> = {
  datetime: "it must be a time like 2026-02-01T22:00:00Z",
  date: "it must be a date like 2026-02-01",
};

function atLeast(origin: string, minimum: number, inclusive: boolean): string {
  if (origin === "string") return minimum === 1 ? "it is empty" : `it needs ${minimum} characters or more`;
  if (origin === "array") return minimum === 1 ? "it is empty" : `it needs ${minimum} or more`;
  return inclusive ? `it must be ${minimum} or more` : `it must be more than ${minimum}`;
}

function atMost(origin: string, maximum: number): string {
  if (origin === "string") return `it may have ${maximum} characters at most`;
  if (origin === "array") return `it may have ${maximum} at most`;
  return `it must be ${maximum} or less`;
}

export type Read<T> = { ok: true; value: T } | { ok: false; where: readonly PropertyKey[]; wrong: string };

/** The first thing that is wrong is enough: it has to be mended before the others matter. */
export function read<T extends z.ZodType>(schema: T, value: unknown): Read<z.infer<T>> {
  const parsed = schema.safeParse(value, { error: inWords });
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, where: issue?.path ?? [], wrong: issue?.message ?? "it is not as expected" };
}
