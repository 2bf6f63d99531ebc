// Every fault of a device that the project promises to survive is made to happen by a test that names it.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PLACES = ["../agent/", "./faults/"].map((place) => fileURLToPath(new URL(place, import.meta.url)));
/** As docs/faults.md numbers them. */
const PROMISED = Array.from({ length: 55 }, (_, index) => index + 1);

test("faults 1 to 55 are each named by the title of a test, and by docs/faults.md", async () => {
  const found = await Promise.all(PLACES.map(testsIn));
  const sources = await Promise.all(found.flat().map((file) => readFile(file, "utf8")));
  const named = new Set(
    sources
      .join("\n")
      .matchAll(/fault (\d+): /g)
      .map((match) => Number(match[1])),
  );
  expect(PROMISED.filter((fault) => !named.has(fault))).toEqual([]);
  const docs = await readFile(fileURLToPath(new URL("../docs/faults.md", import.meta.url)), "utf8");
  const listed = new Set(docs.matchAll(/^\| (\d+) /gm).map((match) => Number(match[1])));
  expect(PROMISED.filter((fault) => !listed.has(fault))).toEqual([]);
});

async function testsIn(place: string): Promise<string[]> {
  const files = await readdir(place, { recursive: true });
  return files.filter((file) => file.endsWith(".test.ts")).map((file) => `${place}${file}`);
}
