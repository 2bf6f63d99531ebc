// The actions: as forms without JavaScript and as JSON, behind a PIN that cannot be guessed by trying.
import { expect, test } from "vitest";
import { NEW, OLD, OLDER } from "./testing/facts.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";
import { TEST_PIN, type TestServer, testServer } from "./testing/test-server.ts";

const HOST = { host: "127.0.0.1:9090" };
const json = ({ app }: TestServer, name: string, payload: object, remoteAddress = "192.168.20.9") =>
  app.inject({ method: "POST", url: `/actions/${name}`, headers: HOST, payload, remoteAddress });
const form = ({ app }: TestServer, name: string, fields: Record<string, string>) =>
  app.inject({
    method: "POST",
    url: `/actions/${name}`,
    headers: { ...HOST, "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams(fields).toString(),
  });
const pin = TEST_PIN;

test("each action does what it says and nothing else", async () => {
  const server = testServer(calm);
  await json(server, "check", { pin });
  await json(server, "hold", { pin, hours: 24, reason: "camera is being replaced" });
  await json(server, "release", { pin });
  const answer = await json(server, "rollback", { pin, from: OLD, to: OLDER });
  expect(answer.json()).toMatchObject({ code: "OK", message: "Going back from v2.1 to v2.0." });
  expect(server.ordered).toEqual(["check", "hold 24 camera is being replaced", "release", "rollback default"]);
});

test("a form is answered by a redirect to the page, which says what came of it and keeps nothing in the address", async () => {
  const server = testServer(calm);
  const answer = await form(server, "hold", { pin, hours: "4", reason: "<b>camera</b>" });
  expect(answer.statusCode).toBe(303);
  const location = String(answer.headers.location);
  expect(location).toMatch(/^\/\?said=[A-Za-z0-9_-]{16}$/);
  const read = async (url: string) => (await server.app.inject({ url, headers: HOST })).body;
  expect(await read(location)).toContain("This device is on hold for 4 hours, until");
  expect(await read("/?said=forged<b>")).not.toContain("forged");
  server.pass(120_000);
  expect(await read(location)).not.toContain("This device is on hold for 4 hours");
  expect(server.ordered).toEqual(["hold 4 <b>camera</b>"]);
});

test.each<[string, string, object, number, string]>([
  ["a wrong PIN", "check", { pin: "000000" }, 403, "PIN_WRONG"],
  ["no PIN", "check", {}, 403, "PIN_WRONG"],
  ["a PIN that is no text", "check", { pin: [pin] }, 403, "PIN_WRONG"],
  ["hours that are not offered", "hold", { pin, hours: 100_000 }, 400, "BAD_REQUEST"],
  ["a reason without end", "hold", { pin, hours: 4, reason: "x".repeat(501) }, 400, "BAD_REQUEST"],
  ["a model that is not here", "rollback", { pin, model: "other" }, 404, "MODEL_UNKNOWN"],
  ["a model that is a path", "rollback", { pin, model: "../default" }, 400, "BAD_REQUEST"],
  ["slots other than those that were confirmed", "rollback", { pin, from: NEW, to: OLDER }, 409, "SLOTS_CHANGED"],
])("%s changes nothing", async (_title, name, payload, status, code) => {
  const server = testServer(calm);
  const answer = await json(server, name, payload);
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code });
  expect(server.ordered).toEqual([]);
});

test("without a backup there is nothing to roll back to", async () => {
  const answer = await json(testServer(FIXTURES["no-model"] ?? calm), "rollback", { pin });
  expect([answer.statusCode, answer.json().code]).toEqual([409, "NO_BACKUP"]);
});

test("a refusal of the agent itself is passed on with its code", async () => {
  const trouble = { code: "BUSY", message: "an installation is under way", next_step: "Wait." };
  const actions = {
    check: () => undefined,
    hold: async () => undefined,
    release: async () => undefined,
    rollback: async () => trouble,
  };
  const answer = await json(testServer(calm, { actions }), "rollback", { pin });
  expect([answer.statusCode, answer.json()]).toEqual([409, trouble]);
});

test("without a configured PIN nothing can be done, whatever is sent", async () => {
  const server = testServer(calm, { pin: null });
  for (const sent of ["", pin, "null"]) {
    const answer = await json(server, "check", { pin: sent });
    expect([answer.statusCode, answer.json().code]).toEqual([403, "ACTIONS_DISABLED"]);
  }
  expect((await server.app.inject({ url: "/rollback/default", headers: HOST })).statusCode).toBe(404);
  expect(server.ordered).toEqual([]);
});

test("brute force: after five wrong PINs even the right one is refused, for longer each time", async () => {
  const server = testServer(calm);
  for (let tries = 1; tries <= 4; tries += 1)
    expect((await json(server, "check", { pin: "0" })).json().code).toBe("PIN_WRONG");
  const locked = await json(server, "check", { pin: "0" });
  expect([locked.statusCode, locked.json().code, locked.headers["retry-after"]]).toEqual([429, "PIN_LOCKED", "60"]);
  expect((await json(server, "check", { pin })).json().code).toBe("PIN_LOCKED");
  server.pass(60_000);
  expect((await json(server, "check", { pin: "0" })).headers["retry-after"]).toBe("120");
  server.pass(120_000);
  expect((await json(server, "check", { pin })).json().code).toBe("OK");
});

test("spoofed X-Forwarded-For: the lock looks at who is connected", async () => {
  const server = testServer(calm);
  for (let tries = 0; tries < 5; tries += 1) {
    const headers = { ...HOST, "x-forwarded-for": `10.0.0.${tries}`, forwarded: `for=10.0.0.${tries}` };
    await server.app.inject({ method: "POST", url: "/actions/check", headers, payload: { pin: "0" } });
  }
  expect((await json(server, "check", { pin }, "127.0.0.1")).json().code).toBe("PIN_LOCKED");
});

test("the page says that the PIN is locked, and for how long, instead of asking for it", async () => {
  const server = testServer(calm);
  for (let tries = 0; tries < 5; tries += 1) await form(server, "check", { pin: "0" });
  const { body } = await server.app.inject({ url: "/", headers: HOST });
  expect(body).toContain("The PIN is locked");
  expect(body).toContain("It is accepted again in 1 minute.");
  expect(body).not.toContain(`type="password"`);
});

test.each([
  ["text/plain", `{"pin":"${pin}"}`, 415, "MEDIA_TYPE"],
  ["application/x-www-form-urlencoded", `pin=${pin}&reason=${"x".repeat(9_000)}`, 413, "BODY_TOO_LARGE"],
  ["application/json", `{"pin":`, 400, "BAD_REQUEST"],
  ["application/json", `{"__proto__":{"pin":"${pin}"}}`, 400, "BAD_REQUEST"],
  ["application/x-www-form-urlencoded", `__proto__=1&pin=0`, 303, ""],
])("a body of %s that is not what it should be is refused by its kind", async (type, payload, status, code) => {
  const server = testServer(calm);
  const answer = await server.app.inject({
    method: "POST",
    url: "/actions/check",
    headers: { ...HOST, "content-type": type },
    payload,
  });
  expect(answer.statusCode).toBe(status);
  if (code !== "") expect(answer.json()).toMatchObject({ code });
  expect(server.ordered).toEqual([]);
});

test("reading changes nothing: an action is only ever a POST", async () => {
  const server = testServer(calm);
  const answer = await server.app.inject({ url: `/actions/check?pin=${pin}`, headers: HOST });
  expect(answer.statusCode).toBe(404);
  expect(server.ordered).toEqual([]);
});
