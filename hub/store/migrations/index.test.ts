// Migrations have consecutive numbers: one that is put before others that were done would make every database of theirs unusable.
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MIGRATIONS } from "./index.ts";

/** Never used and never to be: databases have 0009 and not this, and Kysely refuses a migration whose turn is over. */
const NEVER_USED = [8];

test("numbers are consecutive from 0001, but for the one that was never used; the next is one more than the last", () => {
  const numbers = Object.keys(MIGRATIONS).map((name) => Number(/^(\d{4})-[a-z-]+$/.exec(name)?.[1]));
  const expected = Array.from({ length: numbers.length + NEVER_USED.length }, (_, index) => index + 1);
  expect(numbers).toEqual(expected.filter((number) => !NEVER_USED.includes(number)));
});

test("every file is a migration of its name, and every migration has its file", async () => {
  const files = await readdir(fileURLToPath(new URL(".", import.meta.url)));
  const names = files.filter((file) => /^\d/.test(file)).map((file) => file.replace(/\.ts$/, ""));
  expect(names.sort()).toEqual(Object.keys(MIGRATIONS));
});
