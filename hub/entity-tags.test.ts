// If-None-Match in every way that RFC 9110 allows to write it: by itself, and as a device's poll that waits.
import { expect, test } from "vitest";
import { hasCurrent } from "./entity-tags.ts";
import { openTestHub, until } from "./testing/test-hub.ts";

test.each([
  ['"a"', '"a"', true],
  ['W/"a"', '"a"', true],
  ['"a"', 'W/"a"', true],
  ['W/"a"', 'W/"a"', true],
  ['"b", W/"a"', '"a"', true],
  ['"b","a","c"', '"a"', true],
  ['  W/"a"\t', '"a"', true],
  ['"with, comma", "a"', '"a"', true],
  ["*", '"a"', true],
  [" * ", '"a"', true],
  [undefined, '"a"', false],
  ["", '"a"', false],
  ['"b"', '"a"', false],
  ['W/"b", "c"', '"a"', false],
  ["a", '"a"', false],
  ['w/"a"', '"a"', false],
  ['"*"', '"a"', false],
])("%j has %j: %j", (header, etag, expected) => {
  expect(hasCurrent(header, etag)).toBe(expected);
});

test.each([
  ["as it was", (etag: string) => etag],
  ["made weak by a proxy", (etag: string) => `W/${etag}`],
  ["in a list", (etag: string) => `"older", ${etag}`],
  ["weak and in a list", (etag: string) => `W/"older",W/${etag}`],
  ["as a star", () => "*"],
])(
  "a poll that waits with its tag %s is held until something changes, and without a wait gets 304",
  async (_, write) => {
    const hub = await openTestHub();
    const url = `${await hub.listen()}/device/v1/manifest`;
    await hub.register("v1");
    const { headers } = await hub.enroll("edge-001", "pilot");
    const etag = (await fetch(url, { headers })).headers.get("etag") ?? "";
    const has = { ...headers, "if-none-match": write(etag) };
    expect((await fetch(url, { headers: has })).status).toBe(304);
    const waiting = fetch(url, { headers: { ...has, prefer: "wait=30" } });
    await until(async () => hub.hub.polls.counts().held === 1);
    await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
    const woken = await waiting;
    // A star asks for anything but what there is, and there is always something.
    expect([woken.status, woken.headers.get("etag") === etag]).toEqual([write(etag) === "*" ? 304 : 200, false]);
    await hub.close();
  },
);
