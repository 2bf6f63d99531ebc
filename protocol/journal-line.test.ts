// The line the journal gets: its priority, its words, and nothing that could pass for another line.
import { expect, test } from "vitest";
import { journalLine } from "./index.ts";

test.each([
  [60, "<2>"],
  [50, "<3>"],
  [40, "<4>"],
  [30, "<6>"],
  [20, "<7>"],
  [10, "<7>"],
])("level %i has priority %s", (level, prefix) => {
  expect(journalLine({ level, msg: "words" })).toBe(`${prefix}words`);
});

test("fields follow the message; what the journal knows by itself is left out", () => {
  const record = { level: 40, time: 1, pid: 7, hostname: "h", device: "edge-001", msg: "not reached", code: "TIMEOUT" };
  expect(journalLine({ ...record, status: null, url: "http://hub:8000/x", why: "no route" })).toBe(
    '<4>not reached (code=TIMEOUT status=null url=http://hub:8000/x why="no route")',
  );
});

test("an error is one line, its stack included", () => {
  const err = {
    type: "Error",
    message: "broken",
    stack: "Error: broken\n    at one (a.ts:1:2)\n    at two (b.ts:3:4)",
  };
  const line = journalLine({ level: 50, msg: "stopped", err });
  expect(line).toContain("broken");
  expect(line).toContain("at two (b.ts:3:4)");
  expect(line).not.toContain("\n");
});

test.each([
  ["a message", { level: 30, msg: "said\n<0>the disk is on fire" }],
  ["a message with an escape sequence", { level: 30, msg: "said \u001b[2J\u009b31m" }],
  ["a field", { level: 30, msg: "said", why: "x\r\n<0>y \u001b]0;title\u0007 \u2028" }],
  ["a field of a field", { level: 30, msg: "said", one: { two: "x\n<0>y \u009b" } }],
  ["the name of a field", { level: 30, msg: "said", "x\n<0>y": 1 }],
])("%s that comes from outside stays text on its line", (_what, record) => {
  const line = journalLine(record);
  // oxlint-disable-next-line no-control-regex
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
  expect(line).toMatch(/^<6>said/);
});
