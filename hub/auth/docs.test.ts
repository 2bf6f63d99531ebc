// docs/people.md says who may do what; here it is held against the table that is enforced.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rolesTable } from "./roles-table.ts";

/** The formatter pads the columns; the words are what counts. */
const words = (table: string) =>
  table
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim().replace(/^-+$/, "---")));

test("the roles in docs/people.md are those of the hub, line by line", () => {
  const text = readFileSync(new URL("../../docs/people.md", import.meta.url), "utf8");
  const [, written = ""] = /<!-- roles: [^>]*-->\n([\s\S]*?)\n<!-- end of roles -->/.exec(text) ?? [];
  expect(words(written), "write it anew with: node hub/auth/write-roles.ts").toEqual(words(rolesTable()));
});
