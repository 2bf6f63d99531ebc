// Names on the wire: nothing that could be a path gets through.
import { describe, expect, test } from "vitest";
import { DeviceId, Digest, VersionId } from "./names.ts";

describe("names that could be mistaken for a path are refused", () => {
  const bad = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "/etc",
    "%2e%2e",
    "a\0b",
    ".agent",
    "-rf",
    "é",
    "a b",
    "a\n",
    "x".repeat(129),
  ];
  test.each(bad.map((name) => [JSON.stringify(name), name]))("%s", (_shown, name) => {
    expect(VersionId.safeParse(name).success).toBe(false);
    expect(DeviceId.safeParse(name).success).toBe(false);
  });
});

test.each(["v2.1", "edge-001", "2026-01-31_nightly", "A"])("%s is a fine name", (name) => {
  expect(VersionId.parse(name)).toBe(name);
});

test.each(["", "AB".repeat(32), "a".repeat(63), "g".repeat(64), `sha256:${"a".repeat(64)}`])(
  "%s is no digest",
  (text) => {
    expect(Digest.safeParse(text).success).toBe(false);
  },
);
