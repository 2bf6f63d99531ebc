// README's commands may be pasted block by block: none does a thing and at once undoes it, and Debian's own Node is never asked to run the hub.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const read = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const blocksOf = (page: string) => [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) => block);

test("no block of the README deploys and rolls back", async () => {
  const blocks = blocksOf(await read("README.md"));
  const deploying = blocks.filter((block) => block.includes("/deploy-all"));
  const undoing = blocks.filter((block) => block.includes("/rollback"));
  expect([deploying.length, undoing.length]).toEqual([1, 1]);
  expect(deploying).not.toEqual(undoing);
});

test.each(["README.md", "docs/api.md", "docs/errors.md", "docs/monitoring.md"])(
  "%s runs the hub through npm, which brings the Node that can",
  async (path) => {
    expect((await read(path)).match(/\bnode (hub|agent|cli)\/main\.ts/g)).toBeNull();
  },
);
