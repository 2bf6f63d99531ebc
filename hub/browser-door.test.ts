// What a browser can be made to do by a page of another site: nothing.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHub, type TestHub } from "./testing/test-hub.ts";

let testHub: TestHub;
beforeAll(async () => {
  testHub = await openTestHub();
  await testHub.register("v1");
});
afterAll(() => testHub.close());

describe("a page of another site", () => {
  test("cannot change anything through the browser", async () => {
    const answer = await testHub.app.inject({
      method: "POST",
      url: "/mlops/models/v1/approve",
      headers: { origin: "http://evil.example" },
      payload: {},
    });
    expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });
  test("cannot even read by a name that was made to resolve here", async () => {
    const answer = await testHub.app.inject({ url: "/api/v1/devices", headers: { host: "evil.example:8000" } });
    expect(answer.json()).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });
});
