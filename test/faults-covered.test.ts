// Every fault of a device that the project promises to survive is made to happen by a test that names it.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const AGENT = fileURLToPath(new URL("../agent/", import.meta.url));
/** As docs/faults.md numbers them; power cuts (3 and 4) are not tried here. */
const PROMISED = Array.from({ length: 51 }, (_, index) => index + 5).concat(1, 2);

test("faults 1, 2 and 5 to 55 are each named by the title of a test, and by docs/faults.md", async () => {
  const files = (await readdir(AGENT, { recursive: true })).filter((file) => file.endsWith(".test.ts"));
  const sources = await Promise.all(files.map((file) => readFile(`${AGENT}${file}`, "utf8")));
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
