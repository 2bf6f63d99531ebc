// What the hub says to words that it does not understand, or that are for another database.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runHub } from "../testing/command-line.ts";

const NOWHERE = { HUB_DATA: join(tmpdir(), "context-edge-nowhere") };

test("a backup of PostgreSQL is for pg_dump, and the command says so without a look at the database", async () => {
  const env = { ...NOWHERE, DATABASE_URL: "postgres://127.0.0.1:1/nothing" };
  const ended = await runHub(["backup", join(tmpdir(), "x")], env);
  expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("pg_dump") });
});

test.each([
  [["audit"]],
  [["audit", "forget"]],
  [["backup"]],
  [["backup", "a", "--over"]],
  [["restore"]],
  [["migrate", "x"]],
  [["conquer"]],
])("%j is wrong use and says what is right", async (words) => {
  const ended = await runHub(words, NOWHERE);
  expect(ended.code).toBe(2);
  expect(ended.err.length).toBeGreaterThan(10);
});
