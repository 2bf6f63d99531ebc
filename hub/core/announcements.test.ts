// The table of what people are told, in which words, and when a delivery is tried again.
import type { Event } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { announcementsOf, bodyOf, wants, type Announcement, type Hook } from "./announcements.ts";
import { fateOf, type Tried } from "./delivery.ts";

const event = (kind: string, more: Partial<Event> = {}): Event => ({
  id: 7,
  at: "2026-01-02T00:00:00.000Z",
  kind,
  actor: "conductor",
  subject: "s",
  summary: "what happened",
  data: {},
  ...more,
});

describe("an event becomes", () => {
  const rows: [string, Partial<Event>, string[], string?][] = [
    ["version.registered", {}, ["version.registered"], "/models"],
    ["version.approved", {}, []],
    ["deployment.created", {}, []],
    ["deployment.awaiting-approval", {}, []],
    ["gate.failed", {}, ["gate.failed"]],
    ["deployment.paused", { actor: "ann" }, []],
    ["deployment.paused", {}, ["deployment.halted"]],
    ["deployment.rolling-back", {}, ["deployment.halted"]],
    ["device.rolled-back", { subject: "edge-1" }, ["device.rolled-back"], "/devices/edge-1"],
    ["device.committed", {}, []],
    ["device.offline", { subject: "edge-1" }, ["device.offline"], "/devices/edge-1"],
    ["device.offline", { data: { device_ids: ["a"] } }, ["device.offline"], "/devices"],
    ["quarantine.added", {}, ["quarantine.added"], "/models"],
    ["gate.passed", { data: { deployment_id: "d 1" } }, ["gate.passed"], "/deployments/d%201"],
    ["webhook.tested", {}, []],
  ];
  test.each(rows)("%s %j → %j", (kind, more, kinds, path) => {
    const told = announcementsOf(event(kind, more));
    expect(told.map((one) => one.kind)).toEqual(kinds);
    if (path !== undefined) expect(told[0]?.path).toBe(path);
    for (const { text } of told) expect(text).toContain("what happened");
  });
});

describe("a hook", () => {
  const hook: Hook = { kinds: [], enabled: true, offline_after_seconds: null, created_at: "2026-01-01T00:00:00.000Z" };
  const [told] = announcementsOf(event("device.offline", { data: { limit_seconds: 600 } }));
  const rows: [string, Partial<Hook>, Partial<Announcement>, boolean][] = [
    ["without kinds wants everything", {}, {}, true],
    ["wants what it subscribed to", { kinds: ["device.offline"] }, {}, true],
    ["does not want what it did not", { kinds: ["gate.passed"] }, {}, false],
    ["that is disabled wants nothing", { enabled: false }, {}, false],
    ["hears nothing from before it was made", { created_at: "2026-02-01T00:00:00.000Z" }, {}, false],
    ["with a longer patience is not told by the hub's", { offline_after_seconds: 3_600 }, {}, false],
    ["with that very limit is told", { offline_after_seconds: 600 }, {}, true],
    ["is not told of another's test", {}, { kind: "test" }, false],
  ];
  test.each(rows)("%s", (_title, more, change, expected) => {
    expect(told && wants({ ...hook, ...more }, { ...told, ...change }, 600)).toBe(expected);
  });
});

test("what a device says cannot mention everybody on Slack", () => {
  const [told] = announcementsOf(event("device.rolled-back", { summary: "<!channel> & <http://evil|click>" }));
  const body = JSON.stringify(told && bodyOf("slack", told, "https://hub.example/devices/s"));
  expect(body).toContain("&lt;!channel&gt; &amp; &lt;http://evil|click&gt;");
  expect(body).not.toContain("<!channel>");
  expect(body).toContain("https://hub.example/devices/s");
});

describe("after a try, a delivery", () => {
  const hour = 3_600_000;
  const answered = (status: number, retryAfterMs: number | null = null): Tried => ({
    kind: "answered",
    status,
    retryAfterMs,
  });
  const gone: Tried = { kind: "failed", error: "ECONNREFUSED" };
  const rows: [string, Tried, number, number, object][] = [
    ["is delivered by any 2xx", answered(204), 1, 0, { state: "delivered" }],
    ["waits 5 s after the first failure", gone, 1, 0, { state: "pending", nextMs: 5_000, aside: false }],
    ["waits twice as long after the next", gone, 2, 0, { nextMs: 10_000 }],
    ["waits an hour at most", gone, 500, 0, { nextMs: hour }],
    ["holds up the others while the receiver is broken", answered(500), 1, 0, { aside: false }],
    ["holds up the others while the receiver is busy", answered(429), 1, 0, { aside: false }],
    ["steps aside when it is refused itself", answered(400), 1, 0, { state: "pending", aside: true }],
    ["follows no redirect: that is a refusal by the receiver", answered(302), 1, 0, { state: "pending", aside: false }],
    ["obeys Retry-After", answered(503, 60_000), 1, 0, { nextMs: 60_000 }],
    ["obeys Retry-After within an hour", answered(503, 99 * hour), 1, 0, { nextMs: hour }],
    ["is given up after a day", gone, 40, 23.5 * hour, { state: "given-up", nextMs: null }],
  ];
  test.each(rows)("%s", (_title, tried, tries, nowMs, fate) => {
    expect(fateOf(tried, { createdMs: 0, tries, nowMs, jitter: 1 })).toMatchObject(fate);
  });
  test("does not come at the same moment as all others: half of the pause is chance", () => {
    expect(fateOf(gone, { createdMs: 0, tries: 1, nowMs: 0, jitter: 0 })).toMatchObject({ nextMs: 2_500 });
  });
});
