// Every fault of a device and of the hub that the project promises to survive is made to happen by a test that names it.
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** As docs/faults.md numbers them. */
const OF_A_DEVICE = [...range(1, 55), ...range(77, 87)];
/** 56, a kill at any system call, belongs to the sweeps of `npm run test:faults`, as do the power cuts (3 and 4). */
const OF_THE_HUB = range(56, 76);

async function namedIn(...rooms: string[]): Promise<Set<number>> {
  const files = await Promise.all(
    rooms.map(async (room) => {
      const found = await readdir(at(room), { recursive: true });
      return found.filter((file) => file.endsWith(".test.ts")).map((file) => `${at(room)}/${file}`);
    }),
  );
  const sources = await Promise.all(files.flat().map((file) => readFile(file, "utf8")));
  return new Set(
    sources
      .join("\n")
      // As a title begins: not where another test speaks of it.
      .matchAll(/["'`]fault (\d+): /g)
      .map((match) => Number(match[1])),
  );
}

describe.each([
  ["of a device", ["agent", "test"], OF_A_DEVICE],
  ["of the hub", ["hub", "test"], OF_THE_HUB],
])("every fault %s", (_, rooms, promised) => {
  test("is named by the title of a test", async () => {
    const named = await namedIn(...rooms);
    expect(promised.filter((fault) => !named.has(fault))).toEqual([]);
  });
});

test("docs/faults.md says of every fault what must hold", async () => {
  const docs = await readFile(at("docs/faults.md"), "utf8");
  const listed = docs.matchAll(/^\| (\d+) +\| [^|]+ +\| [^|]+ +\|$/gm).map((match) => Number(match[1]));
  expect([...listed]).toEqual(range(1, 87));
});
