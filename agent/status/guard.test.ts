// Who may ask: DNS rebinding and pages of other sites are turned away before anything is looked up or done.
import { expect, test } from "vitest";
import { calm } from "./testing/fixtures.ts";
import { TEST_PIN, testServer } from "./testing/test-server.ts";

const OWN = "192.168.20.41:9090";

test.each([
  ["127.0.0.1:9090", 200],
  ["[::1]:9090", 200],
  ["192.168.1.20", 200],
  ["localhost:9090", 200],
  ["line-3-station-07", 200],
  ["LINE-3-station-07.local:9090", 200],
  ["line-3.factory.example:9090", 200],
  ["attacker.example", 421],
  ["line-3-station-07.attacker.example", 421],
  ["127.0.0.1.attacker.example", 421],
  ["a b", 421],
])("DNS rebinding: asked for by the name %s it answers %i", async (host, status) => {
  const { app, ordered } = testServer(calm);
  const read = await app.inject({ url: "/status.json", headers: { host } });
  const act = await app.inject({
    method: "POST",
    url: "/actions/check",
    headers: { host },
    payload: { pin: TEST_PIN },
  });
  expect([read.statusCode, act.statusCode]).toEqual([status, status]);
  expect(ordered).toHaveLength(status === 200 ? 1 : 0);
  if (status === 421) expect(read.json()).toMatchObject({ code: "HOST_REFUSED" });
});

test.each<[string, Record<string, string>]>([
  ["of another origin", { origin: "https://attacker.example" }],
  ["of another port of this device", { origin: "http://192.168.20.41:8080" }],
  ["without an origin of its own", { origin: "null" }],
  ["of an extension", { origin: "chrome-extension://abc" }],
  ["that a browser calls cross-site", { "sec-fetch-site": "cross-site" }],
  ["that a browser calls same-site", { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" }],
])("a page %s can do nothing, even with the right PIN", async (_title, headers) => {
  const { app, ordered } = testServer(calm);
  for (const url of ["/actions/check", "/actions/hold", "/actions/release", "/actions/rollback"]) {
    const payload = { pin: TEST_PIN, hours: 4 };
    const answer = await app.inject({ method: "POST", url, headers: { host: OWN, ...headers }, payload });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: "ORIGIN_REFUSED" });
  }
  expect(ordered).toEqual([]);
});

test.each<[string, string, Record<string, string>]>([
  ["the page's own form", "POST", { origin: `http://${OWN}` }],
  ["the page behind a proxy that speaks its own name", "POST", { origin: "http://line-3.factory.example:9090" }],
  ["a script without a browser", "POST", {}],
])("%s may act", async (_title, _method, headers) => {
  const { app, ordered } = testServer(calm);
  const answer = await app.inject({
    method: "POST",
    url: "/actions/check",
    headers: { host: OWN, ...headers },
    payload: { pin: TEST_PIN },
  });
  expect(answer.statusCode).toBe(200);
  expect(ordered).toEqual(["check"]);
});

test("a link on another site may lead to the page, but no other site may embed or fetch from it", async () => {
  const { app } = testServer(calm);
  const ask = async (headers: Record<string, string>, url = "/") =>
    (await app.inject({ url, headers: { host: OWN, "sec-fetch-site": "cross-site", ...headers } })).statusCode;
  expect(await ask({ "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" })).toBe(200);
  expect(await ask({ "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" })).toBe(403);
  expect(await ask({ "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, "/diagnostics.zip")).toBe(403);
  expect(await ask({ "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }, "/status.json")).toBe(403);
});
