// A filtered table and its address: the same whichever way one comes to it.
import { expect, test } from "vitest";
import { aDevice, aDeviceModel } from "../testing/fixtures.ts";
import { filtered, readFilter, writeFilter } from "./device-filter.ts";

const devices = [
  aDevice("edge-1", { group: "line-2", last_seen: "2026-01-02T00:00:00.000Z" }),
  aDevice("edge-2", { online: false, last_seen: "2026-01-01T00:00:00.000Z" }),
  aDevice("edge-3", { last_seen: null }, aDeviceModel("v2.1", { sync: "failed" })),
];
const idsOf = (search: string) => filtered(devices, readFilter(search)).map(({ id }) => id);

test.each([
  ["", ["edge-1", "edge-2", "edge-3"]],
  ["?text=EDGE-2", ["edge-2"]],
  ["?text=v2.1", ["edge-3"]],
  ["?text=orin", ["edge-1", "edge-2", "edge-3"]],
  ["?group=line-2", ["edge-1"]],
  ["?sync=failed", ["edge-3"]],
  ["?online=no", ["edge-2"]],
  ["?online=no&sync=failed", []],
  ["?sort=seen", ["edge-3", "edge-2", "edge-1"]],
  ["?sort=group", ["edge-2", "edge-3", "edge-1"]],
  ["?sync=nonsense&sort=nonsense&online=maybe", ["edge-1", "edge-2", "edge-3"]],
])("%s shows %j", (search, ids) => {
  expect(idsOf(search)).toEqual(ids);
});

test.each(["", "?text=a+b&group=line-2&sync=failed&online=no&sort=seen"])("%s is written as it was read", (search) => {
  expect(writeFilter(readFilter(search))).toBe(search);
});
