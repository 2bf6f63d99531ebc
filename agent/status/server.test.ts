// The device's page: plain words, nothing executable from outside, and only for those who ask for the device by its own name.
import { expect, test } from "vitest";
import type { StatusDocument } from "./document.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";
import { testServer } from "./testing/test-server.ts";

const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;

const get = (url: string, document = calm, headers: Record<string, string> = {}) =>
  testServer(document).app.inject({ url, headers: { host: "127.0.0.1:9090", ...headers } });
const plain = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ (?=[.,:])/g, "");
const pageOf = async (name: string) => plain((await get("/", FIXTURES[name])).body);

test("the page says first what runs and that it is well, then what was tried and what came of it", async () => {
  const text = await pageOf("rolled-back");
  expect(text).toMatch(/Running v2\.1 since \w+ \d\d:\d\d\. Healthy\./);
  expect(text).toContain("v2.2 Tried and undone: too slow");
  expect(text).toContain("p95 was 84.2 ms, allowed 33.0 ms");
  expect(text).toContain("What to do: Nothing at the device. For the engineers: Use a faster build");
  expect(text).toMatch(/Before 24\.8 ms 100 requests v2\.2 84\.2 ms too slow 100 requests After going back 24\.6 ms/);
  // Markup that was escaped by mistake would stand on the page as text.
  expect(text).not.toContain("&lt;");
});

test.each([
  ["starting", "Starting."],
  ["no-model", "The hub has not said yet what should run here."],
  ["downloading", "70 % 181.3 MB of 256.9 MB, 2.4 MB per second, about 31 seconds left"],
  ["window", "Why it waits: the maintenance window is closed v2.2 is ready and waits for its maintenance window."],
  ["held", "What to do: End the hold below, or let it end by itself."],
  ["held-by-the-hub", "An engineer holds this device as it is, until"],
  ["probing", "v2.1 comes back by itself if it is wrong or too slow."],
  ["going-back", "Testing 14:30:58 not passed"],
  ["golden-mismatch", "Known answers: 13 of 16 right. Furthest off: scores[2] was 0.114, expected 0.9321."],
  ["blocked", "What is wrong The swap was undone, but v2.1 is not healthy either"],
  ["hub-unreachable", "The hub has not answered for 3 days"],
  ["disk-full", "What to do: Free space on the disk of the models directory."],
  ["clock-at-1970", "It says 1 January 1970 00:07, which cannot be."],
  ["several-models", "3 models on this device. Installing."],
])("a device that is %s says so in words", async (name, words) => {
  // Written in UTC; elsewhere the hours differ.
  const text = (await pageOf(name)).replaceAll(/\d\d:(\d\d:\d\d)/g, "14:$1").replaceAll(/ \d\d:07,/g, " 00:07,");
  expect(text).toContain(words);
});

test("a time that a clock in 1970 wrote is not told as the time since when a model runs", async () => {
  expect(await pageOf("clock-at-1970")).toContain("Running v2.1. Healthy.");
});

test("no string that a hub, a service or a training job can set becomes markup, in any state", async () => {
  for (const [name, document] of Object.entries(FIXTURES)) {
    const poisoned = JSON.parse(
      JSON.stringify(document, (_key, value: unknown) =>
        typeof value === "string" && !/^\d{4}-|^https:|^[a-z]+(-[a-z]+)?$/.test(value) ? EVIL : value,
      ),
    ) as StatusDocument;
    const models = Object.fromEntries(Object.values(poisoned.models).map((model, index) => [`${EVIL}${index}`, model]));
    const hub = { ...poisoned.hub, url: `https://hub.example/${EVIL}` };
    const evil = { ...poisoned, models, hub, device: EVIL, group: EVIL };
    for (const url of ["/", "/rollback/default"]) {
      const { body } = await get(url, evil);
      expect(body, name).not.toContain("<script>alert");
      expect(body, name).not.toContain("<img");
    }
  }
});

test("page, style and script come from the device alone, under a policy that forbids all else", async () => {
  const page = await get("/");
  const policy = String(page.headers["content-security-policy"]);
  for (const rule of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    expect(policy).toContain(rule);
  }
  expect(policy).not.toContain("unsafe");
  expect(page.body).not.toMatch(/ style="| on[a-z]+="|<style/);
  const referenced = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]);
  expect(new Set(referenced)).toEqual(
    new Set([
      "/status.css",
      "/icon.svg",
      "/status.js",
      "https://hub.factory.example:8000",
      "/rollback/default",
      "/diagnostics.zip",
      "/",
    ]),
  );
  for (const url of ["/status.css", "/status.js", "/icon.svg"]) expect((await get(url)).statusCode).toBe(200);
});

test("without a PIN the page offers no action, and says how to get them", async () => {
  const { body } = await get("/", { ...calm, can_act: false });
  expect(body).not.toContain("<form");
  expect(plain(body)).toContain("set a PIN for the agent (AGENT_PIN_FILE)");
});

test("the confirmation says exactly what changes to what, and carries what was seen", async () => {
  const { body } = await get("/rollback/default");
  expect(plain(body)).toMatch(/Roll back to v2\.0\? Runs now v2\.1 .* → Runs after it v2\.0/);
  expect(body).toContain(`name="from" value="${calm.models["default"]?.current?.digest}"`);
  expect(body).toContain(`name="to" value="${calm.models["default"]?.backup?.digest}"`);
  expect((await get("/rollback/..%2f")).statusCode).toBe(404);
});

test("the same is there for programs, and nothing of it may be read by another site", async () => {
  const status = await get("/status.json");
  expect(status.json()).toMatchObject({ device: calm.device, phase: "idle", can_act: true, hold: null });
  expect((await get("/healthz")).json()).toEqual({ status: "ok" });
  const zip = await get("/diagnostics.zip");
  expect(zip.headers["content-disposition"]).toMatch(/^attachment; filename="context-edge-line-3-station-07-/);
  for (const answer of [status, zip, await get("/", calm, { origin: "http://127.0.0.1:9090" })]) {
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

test("an agent whose loop stands still is not healthy", async () => {
  const { app } = testServer(calm, { isAlive: () => false });
  expect((await app.inject({ url: "/healthz", headers: { host: "localhost" } })).statusCode).toBe(503);
});

test("what the agent threw stays inside", async () => {
  const failing = testServer(calm, { document: () => Promise.reject(new Error("/secret/path")) });
  const answer = await failing.app.inject({ url: "/", headers: { host: "localhost" } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("secret");
  expect(answer.json()).toMatchObject({ code: "INTERNAL" });
});
