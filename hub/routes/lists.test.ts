// Lists as programs read them: filters, orders, and pages that neither repeat nor skip.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";
import { sortedPage } from "./sorted-page.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

describe("lists", () => {
  const ids = async (url: string) => {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await hub.call("GET", `${url}${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      const items = body["items"] as { id?: string; version_id?: string; name?: string }[];
      found.push(...items.map((one) => one.name ?? one.version_id ?? one.id ?? ""));
      cursor = body["next_cursor"] as string | null;
    } while (cursor !== null);
    return found;
  };
  const refused = async (url: string) =>
    expect((await hub.call("GET", url)).body).toMatchObject({ code: "BAD_REQUEST" });

  test("devices are filtered by group, version, sync, online and a part of the name, and sorted both ways", async () => {
    await hub.register("v1");
    for (const [id, group] of [
      ["b-1", "north"],
      ["a-2", "north"],
      ["C-3", "south"],
    ] as const) {
      const device = await hub.enroll(id, group);
      await device.report(id === "a-2" ? "v1" : "v0");
    }
    const list = (query: string) => ids(`/api/v1/devices?limit=1&${query}`);
    expect(await list("")).toEqual(["C-3", "a-2", "b-1"]);
    expect(await list("order=desc")).toEqual(["b-1", "a-2", "C-3"]);
    expect(await list("sort=group&order=desc")).toEqual(["C-3", "b-1", "a-2"]);
    expect(await list("sort=enrolled_at")).toEqual(["b-1", "a-2", "C-3"]);
    expect(await list("group=north")).toEqual(["a-2", "b-1"]);
    expect(await list("version=v1")).toEqual(["a-2"]);
    expect(await list("q=c-")).toEqual(["C-3"]);
    expect(await list("online=false")).toEqual([]);
    expect(await list("sync=unknown")).toHaveLength(3);
    await refused("/api/v1/devices?sync=wrong");
    await refused("/api/v1/devices?sort=secret");
  });
  test("deployments are filtered by state and group, versions by stage, the audit by kind, actor, subject and time", async () => {
    for (const version of ["v1", "v2", "v3"]) await hub.register(version);
    for (const name of ["n_rth", "north"]) await hub.call("POST", "/api/v1/groups", { name });
    const { body } = await hub.call("PUT", "/api/v1/groups/n_rth/target", { version: "v1" });
    await hub.call("PUT", "/api/v1/groups/north/target", { version: "v2" });
    expect(await ids("/api/v1/deployments?limit=1")).toHaveLength(2);
    expect(await ids("/api/v1/deployments?limit=1&group=n_rth")).toEqual([body["id"]]);
    expect(await ids("/api/v1/deployments?state=aborted")).toEqual([]);
    expect(await ids("/api/v1/models/default/versions?limit=1&stage=pending")).toEqual(["v3"]);
    const audit = async (query: string) =>
      ((await hub.call("GET", `/api/v1/audit?${query}`)).body["items"] as { kind: string }[]).map(({ kind }) => kind);
    expect(await audit("kind=group.created")).toHaveLength(2);
    expect(await audit("kind=group.created&subject=north")).toHaveLength(1);
    expect(await audit("actor=nobody")).toEqual([]);
    expect(await audit("to=2020-01-01T00:00:00Z")).toEqual([]);
    expect((await audit("from=2020-01-01T00:00:00Z")).length).toBeGreaterThan(5);
    await refused("/api/v1/audit?from=yesterday");
  });
  test("an audit's times may have any offset, also with a plus that nobody encoded; so may a series'", async () => {
    const then = Date.parse("2026-01-31T23:30:00.000Z");
    const row = { kind: "k", actor: "x", subject: "x", summary: "x", data: {} };
    await hub.hub.store.events.append({ ...row, at: new Date(then).toISOString() });
    const local = (ms: number, hours: number, plus = "%2B") => {
      const [date = ""] = new Date(ms + hours * 3_600_000).toISOString().split("Z");
      return `${date}${hours < 0 ? "-" : plus}0${Math.abs(hours)}:00`;
    };
    const kinds = async (query: string) => {
      const { status, body } = await hub.call("GET", `/api/v1/audit?subject=x&${query}`);
      expect([status, body["detail"]]).toEqual([200, undefined]);
      return (body["items"] as unknown[]).length;
    };
    for (const hours of [-5, 0, 1, 5]) {
      expect(await kinds(`from=${local(then, hours)}`)).toBe(1);
      expect(await kinds(`from=${local(then + 1, hours)}`)).toBe(0);
      expect(await kinds(`from=${local(then, hours, "+")}&to=${local(then + 1, hours)}`)).toBe(1);
      expect(await kinds(`to=${local(then, hours)}`)).toBe(0);
    }
    const { body } = await hub.call("GET", `/api/v1/series?from=${local(then, 1)}&to=${local(then + 3_600_000, -2)}`);
    expect([body["from"], body["to"]]).toEqual([
      new Date(then).toISOString(),
      new Date(then + 3_600_000).toISOString(),
    ]);
    for (const wrong of ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+25:00"])
      await refused(`/api/v1/audit?from=${wrong}`);
  });
  test("groups and versions are sorted as asked, and what has a name is found by a part of it", async () => {
    for (const name of ["south", "north", "Norway"]) await hub.call("POST", "/api/v1/groups", { name });
    expect(await ids("/api/v1/groups?limit=1")).toEqual(["south", "north", "Norway"]);
    expect(await ids("/api/v1/groups?limit=1&sort=name")).toEqual(["Norway", "north", "south"]);
    expect(await ids("/api/v1/groups?limit=2&sort=name&order=desc&q=NOR")).toEqual(["north", "Norway"]);
    for (const [version, accuracy] of Object.entries({ v2: 0.7, v1: 0.9, v3: 0.8 }))
      await hub.register(version, { accuracy });
    const versions = (query: string) => ids(`/api/v1/models/default/versions?limit=1${query}`);
    expect(await versions("")).toEqual(["v3", "v1", "v2"]);
    expect(await versions("&sort=version_id&order=asc")).toEqual(["v1", "v2", "v3"]);
    expect(await versions("&sort=accuracy")).toEqual(["v1", "v3", "v2"]);
    for (const name of ["ci-north", "ci-south", "grafana"]) {
      await hub.call("POST", "/api/v1/tokens", { name, scope: "viewer" });
      await hub.call("POST", "/api/v1/join-tokens", { name });
    }
    for (const list of ["tokens", "join-tokens"]) {
      expect(await ids(`/api/v1/${list}?limit=1`)).toHaveLength(3);
      expect(await ids(`/api/v1/${list}?limit=1&q=CI-`)).toHaveLength(2);
    }
    for (const [name, role] of Object.entries({ vera: "viewer", erik: "engineer", eva: "viewer" }))
      await hub.call("POST", "/api/v1/users", { name, role });
    expect(await ids("/api/v1/users?limit=1&q=e")).toEqual(["erik", "eva", "vera"]);
    expect(await ids("/api/v1/users?limit=1&role=viewer")).toEqual(["eva", "vera"]);
    for (const path of ["line-1", "line-2"])
      await hub.call("POST", "/api/v1/webhooks", { url: `http://127.0.0.1:9/${path}` });
    expect(await ids("/api/v1/webhooks?limit=1")).toHaveLength(2);
    expect(await ids("/api/v1/webhooks?q=LINE-2")).toHaveLength(1);
  });
  test("names of the longest make cursors that are taken back", async () => {
    for (const letter of ["a", "b", "c"]) await hub.call("POST", "/api/v1/groups", { name: letter.repeat(128) });
    expect(await ids("/api/v1/groups?limit=1&sort=name")).toHaveLength(3);
    for (const letter of ["a", "b", "c"]) await hub.enroll(letter.repeat(128), letter.repeat(128));
    expect(await ids("/api/v1/devices?limit=1&sort=group")).toHaveLength(3);
  });
  test("a device's outcomes are paged, newest first, while others are told", async () => {
    const device = await hub.enroll("edge-001");
    for (const version of ["v1", "v2", "v3", "v4", "v5"]) await device.report(version, {});
    const page = async (query: string) => {
      const { body } = await hub.call("GET", `/api/v1/devices/edge-001/outcomes?${query}`);
      const items = body["items"] as { version: string }[];
      return { versions: items.map(({ version }) => version), next: body["next_cursor"] as string | null };
    };
    const first = await page("limit=2");
    expect(first.versions).toEqual(["v5", "v4"]);
    await device.report("v6", {});
    const second = await page(`limit=2&cursor=${first.next}`);
    expect(second.versions).toEqual(["v3", "v2"]);
    expect(await page(`limit=2&cursor=${second.next}`)).toEqual({ versions: ["v1"], next: null });
    await hub.enroll("edge-002");
    await refused(`/api/v1/devices/edge-002/outcomes?cursor=${first.next}`);
  });
  test("a parameter that a list does not have is refused by name, with those it has; the older wires take any", async () => {
    for (const [url, name] of [
      ["/api/v1/deployments?sort=name", "sort"],
      ["/api/v1/devices?Group=north", "Group"],
      ["/api/v1/groups/none?x=1", "x"],
      ["/api/v1/session?__proto__=1", "__proto__"],
      ["/api/v1/series?devices=edge-001", "devices"],
    ])
      expect((await hub.call("GET", url ?? "")).body).toMatchObject({
        status: 400,
        code: "BAD_REQUEST",
        detail: expect.stringContaining(`"${name}"`),
        next_step: expect.stringContaining("This address takes"),
        context: { unknown: [name] },
      });
    expect((await hub.call("POST", "/api/v1/groups?dry_run=true", { name: "north" })).status).toBe(400);
    expect(await ids("/api/v1/groups?limit=9")).toEqual([]);
    expect((await hub.call("GET", "/mlops/models/pending?x=1")).status).toBe(200);
    expect((await hub.app.inject("/healthz?x=1")).statusCode).toBe(200);
    const device = await hub.enroll("edge-001");
    const poll = await hub.app.inject({ url: "/device/v1/assignment?x=1", headers: device.headers });
    expect(poll.statusCode).toBe(200);
  });
  test("a cursor of another list, of another order, or made up is refused", async () => {
    for (const id of ["a", "b", "c"]) await hub.enroll(id);
    const cursor = String((await hub.call("GET", "/api/v1/devices?limit=1")).body["next_cursor"]);
    await refused(`/api/v1/devices?limit=1&order=desc&cursor=${cursor}`);
    for (const list of ["audit", "deployments", "models/default/versions"])
      await refused(`/api/v1/${list}?cursor=${cursor}`);
    for (const made of ["ghost", "W10", "bnVsbA", "%00"]) await refused(`/api/v1/devices?cursor=${made}`);
  });
});

test("5,000 rows are paged without repeating or losing one while others come and go", () => {
  const row = (index: number) => ({ id: `d${index.toString().padStart(5, "0")}`, key: index % 7 });
  let rows = Array.from({ length: 5_000 }, (_, index) => row(index * 2));
  const order = {
    name: "t",
    keyOf: ({ key }: { key: number }) => key,
    idOf: ({ id }: { id: string }) => id,
    descending: false,
  };
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = sortedPage(rows, order, { limit: 500, cursor });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor ?? undefined;
    // The very row the cursor points at disappears, and new ones come.
    rows = [...rows.filter(({ id }) => id !== seen.at(-1)), row(seen.length * 2 + 1)];
  } while (cursor !== undefined);
  expect(new Set(seen).size).toBe(seen.length);
  const even = seen.filter((id) => Number(id.slice(1)) % 2 === 0);
  expect(even).toHaveLength(5_000);
});
