// A small JSON document with a checksum and its predecessor: torn or flipped bytes are noticed, and the copy before is used.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { isMissing } from "../errors.ts";
import { replaceFile } from "./durable-file.ts";

export type Loaded<T> =
  | { is: "whole"; value: T; copy: "newest" | "previous" }
  | { is: "absent" }
  /** Something was there, and no copy of it can be trusted. */
  | { is: "unreadable" };

export interface CheckedFile<T> {
  load(): Promise<Loaded<T>>;
  save(value: T): Promise<void>;
}

export function checkedFile<T>(path: string, schema: z.ZodType<T>): CheckedFile<T> {
  const previous = `${path}.previous`;
  // A torn file must not become the predecessor: that would lose the good copy.
  let isNewestWhole = false;
  return {
    async load() {
      const newest = await read(path, schema);
      isNewestWhole = newest.is === "whole";
      if (newest.is === "whole") return { ...newest, copy: "newest" };
      const before = await read(previous, schema);
      if (before.is === "whole") return { ...before, copy: "previous" };
      return newest.is === "absent" && before.is === "absent" ? newest : { is: "unreadable" };
    },
    async save(value) {
      await replaceFile(path, encode(value), isNewestWhole ? { previous } : {});
      isNewestWhole = true;
    },
  };
}

/** One line: sha256 of the document in hex, a space, the document. */
function encode(value: unknown): string {
  const text = JSON.stringify(value);
  return `${sha256(text)} ${text}`;
}

async function read<T>(
  path: string,
  schema: z.ZodType<T>,
): Promise<{ is: "whole"; value: T } | { is: "absent" } | { is: "unreadable" }> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    return isMissing(error) ? { is: "absent" } : { is: "unreadable" };
  }
  const text = content.slice(65);
  if (content.length < 65 || content.slice(0, 64) !== sha256(text)) return { is: "unreadable" };
  const parsed = schema.safeParse(JSON.parse(text));
  return parsed.success ? { is: "whole", value: parsed.data } : { is: "unreadable" };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
