// What a reader is told to do: the gravest first, nothing twice, nothing that is no news, and nothing that contradicts itself.
import { expect, test } from "vitest";
import type { StatusDocument } from "./document.ts";
import { noticesOf } from "./notices.ts";
import { telemetry } from "./testing/facts.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";

const of = (name: string) => noticesOf(FIXTURES[name] ?? calm);
const codes = (status: StatusDocument) => noticesOf(status).map(({ tone, code }) => `${tone} ${code}`);

test.each<[string, string[]]>([
  ["healthy", []],
  ["starting", []],
  ["downloading", []],
  ["rolled-back", ["waiting LATENCY_OVER_BASELINE"]],
  ["golden-mismatch", ["waiting GOLDEN_MISMATCH"]],
  ["going-back", []],
  ["blocked", ["bad OLD_MODEL_UNHEALTHY"]],
  ["hub-unreachable", ["waiting HUB_UNREACHABLE"]],
  ["disk-full", ["waiting DISK_FULL"]],
  ["clock-at-1970", ["waiting CLOCK_WRONG"]],
])("%s leads to %j", (name, expected) => {
  expect(codes(FIXTURES[name] ?? calm)).toEqual(expected);
});

test("every notice says what to do next", () => {
  for (const name of Object.keys(FIXTURES)) {
    for (const notice of of(name)) expect(notice.next, `${name} ${notice.code}`).not.toBe("");
  }
});

test("what did not prove itself is for the engineers; what failed on the way may be mended at the device", () => {
  expect(of("rolled-back")[0]?.next).toMatch(/^Nothing at the device\. For the engineers: /);
  expect(of("disk-full")[0]?.next).toBe("Free space on the disk of the models directory.");
});

test("a hub that missed a poll or two is no news", () => {
  const trouble = { code: "TIMEOUT", message: "the hub cannot be followed: timeout", next_step: "Check the network." };
  const hub = { ...calm.hub, state: "failing", trouble } as const;
  expect(codes({ ...calm, hub, trouble })).toEqual([]);
  expect(codes({ ...calm, hub: { ...hub, last_answer_at: null }, trouble })).toEqual(["waiting TIMEOUT"]);
});

test("a problem of the device as a whole outranks the rest", () => {
  const trouble = { code: "SIGNATURE_INVALID", message: "a document of the hub was refused", next_step: "Ask." };
  const status = { ...(FIXTURES["rolled-back"] ?? calm), trouble };
  expect(codes(status)).toEqual(["bad SIGNATURE_INVALID", "waiting LATENCY_OVER_BASELINE"]);
});

test("heat and a nearly full disk are told before they become failures", () => {
  const hot = { ...telemetry, temperatures_c: { "tj-thermal": 96.4 }, disk_free_bytes: 1.1e9 };
  expect(codes({ ...calm, telemetry: hot })).toEqual(["waiting DISK_LOW", "waiting HOT"]);
});
