// The API as programs use it: keys that make repetition harmless, and tags that save bytes.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";

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
