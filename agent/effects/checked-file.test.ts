// Torn at every byte, flipped in every byte, both copies gone: what is loaded is a whole document or none.
import { readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { tempDir } from "../testing/temp-dir.ts";
import { checkedFile } from "./checked-file.ts";

const Document = z.object({ count: z.number() });

async function twoSaved() {
  const path = join(await tempDir(), "journal.json");
  const file = checkedFile(path, Document);
  await file.save({ count: 1 });
  await file.save({ count: 2 });
  return { path, whole: await readFile(path) };
}

test("what was saved last is loaded", async () => {
  const { path } = await twoSaved();
  expect(await checkedFile(path, Document).load()).toEqual({ is: "whole", value: { count: 2 }, copy: "newest" });
});

test("fault 12: torn at any byte, the copy before is used", async () => {
  const { path, whole } = await twoSaved();
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(path, whole.subarray(0, length));
    expect(await checkedFile(path, Document).load()).toEqual({ is: "whole", value: { count: 1 }, copy: "previous" });
  }
});

test("fault 13: a flipped bit anywhere is noticed", async () => {
  const { path, whole } = await twoSaved();
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await writeFile(path, flipped);
    // The space between checksum and document carries nothing.
    expect((await checkedFile(path, Document).load()).is).toBe("whole");
    expect(await checkedFile(path, Document).load()).toMatchObject(at === 64 ? {} : { copy: "previous" });
  }
});

test("a torn file does not replace the good copy before it", async () => {
  const { path } = await twoSaved();
  await writeFile(path, "torn");
  const file = checkedFile(path, Document);
  await file.load();
  await file.save({ count: 3 });
  await writeFile(path, "torn again");
  expect(await checkedFile(path, Document).load()).toEqual({ is: "whole", value: { count: 1 }, copy: "previous" });
});

test("both copies torn is told apart from never written", async () => {
  const { path } = await twoSaved();
  await writeFile(path, "torn");
  await writeFile(`${path}.previous`, "torn");
  expect(await checkedFile(path, Document).load()).toEqual({ is: "unreadable" });
  expect(await checkedFile(`${path}.other`, Document).load()).toEqual({ is: "absent" });
});

test("links planted under the temporary names are replaced, not followed", async () => {
  const dir = await tempDir();
  const victim = join(dir, "victim");
  await writeFile(victim, "precious");
  const path = join(dir, "journal.json");
  await symlink(victim, `${path}.tmp`);
  await symlink(victim, `${path}.previous.tmp`);
  const file = checkedFile(path, Document);
  await file.save({ count: 1 });
  await file.save({ count: 2 });
  expect(await readFile(victim, "utf8")).toBe("precious");
  expect((await readdir(dir)).toSorted()).toEqual(["journal.json", "journal.json.previous", "victim"]);
});
