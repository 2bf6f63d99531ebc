// The API as programs use it: keys that make repetition harmless, tags that save bytes, and pages that neither repeat nor skip.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";
import { sortedPage } from "./sorted-page.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

describe("a POST with an Idempotency-Key", () => {
  const post = (url: string, payload: object, key = "key-1") =>
    hub.app.inject({ method: "POST", url, payload, headers: { "idempotency-key": key } });
  const events = async () => (await hub.hub.store.events.newest(100)).length;

  test("that is sent again gets the first answer and does nothing twice", async () => {
    const first = await post("/api/v1/groups", { name: "north" });
    const before = await events();
    const again = await post("/api/v1/groups", { name: "north" });
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.body).toBe(first.body);
    expect(again.headers["content-type"]).toBe(first.headers["content-type"]);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(await events()).toBe(before);
  });
  test("gets a refusal again as well, even after its reason has gone", async () => {
    const first = await post("/mlops/models/v1/approve", {});
    expect(first.statusCode).toBe(404);
    await hub.register("v1");
    const again = await post("/mlops/models/v1/approve", {});
    expect(again.json()).toEqual(first.json());
    expect(again.headers["content-type"]).toContain("application/problem+json");
    expect((await post("/mlops/models/v1/approve", {}, "key-2")).statusCode).toBe(200);
  });
  test("that stood for another request is refused", async () => {
    await post("/api/v1/groups", { name: "north" });
    expect((await post("/api/v1/groups", { name: "south" })).json()).toMatchObject({
      status: 422,
      code: "IDEMPOTENCY_KEY_REUSED",
    });
    expect((await post("/mlops/models/v1/approve", { name: "north" })).json()).toMatchObject({ status: 422 });
  });
  test("while the first is under way is asked to wait; of twenty at once one acts", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("/api/v1/groups", { name: "north" })));
    const codes = new Set(answers.map(({ statusCode }) => statusCode));
    expect([...codes].every((code) => code === 201 || code === 409)).toBe(true);
    const created = (await hub.hub.store.events.newest(100)).filter(({ kind }) => kind === "group.created");
    expect(created).toHaveLength(1);
  });
  test("may be tried again when the hub failed, and after its hub was killed in the middle", async () => {
    const at = new Date(Date.now() - 200_000).toISOString();
    const claim = { actor: "local engineer", key: "key-1", fingerprint: "another", created_at: at };
    await hub.hub.store.idempotency.claim(claim, { expiredBefore: "", staleBefore: "" });
    expect((await post("/api/v1/groups", { name: "north" })).statusCode).toBe(201);
  });
  test("is kept per actor", async () => {
    const claim = { actor: "somebody else", key: "key-1", fingerprint: "x", created_at: new Date().toISOString() };
    await hub.hub.store.idempotency.claim(claim, { expiredBefore: "", staleBefore: "" });
    expect((await post("/api/v1/groups", { name: "north" })).statusCode).toBe(201);
  });
  test("whose answer held a secret is not done again, and the secret is not kept", async () => {
    const hook = { url: "http://127.0.0.1:9/" };
    const first = await post("/api/v1/webhooks", hook);
    expect((await post("/api/v1/webhooks", hook)).json()).toMatchObject({ code: "CONFLICT" });
    expect((await hub.hub.store.webhooks.list()).length).toBe(1);
    const claim = { actor: "local engineer", key: "key-1", fingerprint: "", created_at: new Date().toISOString() };
    const kept = await hub.hub.store.idempotency.claim(claim, { expiredBefore: "", staleBefore: "" });
    expect(kept).toMatchObject({ status: 201, body: null });
    expect(first.json()).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
  });
  test("that makes an API token keeps nothing of it, while a repetition makes no second one", async () => {
    const token = { name: "ci", scope: "viewer" };
    const first = await post("/api/v1/tokens", token);
    expect(first.statusCode).toBe(201);
    expect((await post("/api/v1/tokens", token)).json()).toMatchObject({ code: "CONFLICT" });
    expect((await hub.call("GET", "/api/v1/tokens")).body["items"]).toHaveLength(1);
  });
  test("that is none is refused", async () => {
    expect((await post("/api/v1/groups", { name: "north" }, "with space")).json()).toMatchObject({
      code: "BAD_REQUEST",
    });
  });
});

describe("reading", () => {
  test("again what has not changed costs no body, and what has changed comes whole", async () => {
    const read = (etag?: string) =>
      hub.app.inject({ url: "/api/v1/groups", headers: etag === undefined ? {} : { "if-none-match": etag } });
    const { headers } = await read();
    const etag = String(headers["etag"]);
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    const same = await read(`"other", ${etag}`);
    expect({ status: same.statusCode, body: same.body }).toEqual({ status: 304, body: "" });
    await hub.call("POST", "/api/v1/groups", { name: "north" });
    expect((await read(etag)).statusCode).toBe(200);
  });
  test("a refusal has no tag", async () => {
    expect((await hub.app.inject("/api/v1/groups/none")).headers["etag"]).toBeUndefined();
  });
});

test("If-Match sets a target only where the caller has seen what it replaces", async () => {
  await hub.register("v1");
  await hub.register("v2");
  await hub.call("POST", "/api/v1/groups", { name: "north" });
  const put = (version: string, match: string) =>
    hub.app.inject({
      method: "PUT",
      url: "/api/v1/groups/north/target",
      payload: { version },
      headers: { "if-match": match },
    });
  expect((await put("v1", '"dep-none"')).json()).toMatchObject({ status: 412, code: "PRECONDITION_FAILED" });
  const { body } = await hub.call("PUT", "/api/v1/groups/north/target", { version: "v1" });
  expect((await put("v2", '"dep-none"')).statusCode).toBe(412);
  expect((await put("v2", `"${String(body["id"])}"`)).statusCode).toBe(200);
});

describe("lists", () => {
  const ids = async (url: string) => {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await hub.call("GET", `${url}${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      found.push(
        ...(body["items"] as { id?: string; version_id?: string }[]).map((one) => one.id ?? one.version_id ?? ""),
      );
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
    expect(await audit("kind=group&q=NORTH")).toEqual(["group.created"]);
    expect(await audit("kind=grou")).toEqual([]);
    expect(await audit("q=n_rth")).toEqual(["deployment.created", "group.created"]);
    expect(await audit("q=n%25h")).toEqual([]);
    expect(await audit("actor=nobody")).toEqual([]);
    expect(await audit("to=2020-01-01T00:00:00Z")).toEqual([]);
    expect((await audit("from=2020-01-01T00:00:00Z")).length).toBeGreaterThan(5);
    await refused("/api/v1/audit?from=yesterday");
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
