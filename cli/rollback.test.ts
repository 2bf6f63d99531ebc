// Rolling back a deployment whose groups had different versions before: followed is the deployment, until all of them are back.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../hub/testing/test-hub.ts";
import { json, openFleet, type FleetScene } from "./testing/run-cli.ts";

let at: FleetScene;
let id: string;
const stateOf = async (deployment: string) =>
  (await at.hub.call("GET", `/api/v1/deployments/${deployment}`)).body["state"];

/** `line-a` had v2.0 and `line-b` v2.1 before both were given v2.2. */
beforeEach(async () => {
  at = await openFleet();
  await at.hub.register("v2.2", { signed: "nobody" });
  await at.run(["deploy", "--group", "line-b", "--version", "v2.1"]);
  await at.d3.report("v2.1", {});
  const words = ["deploy", "--group", "line-a", "--group", "line-b", "--together", "--version", "v2.2", "--json"];
  id = String(json(await at.run(words))["id"]);
  for (const device of [at.d1, at.d2, at.d3]) await device.report("v2.2", {});
  await until(async () => (await stateOf(id)) === "finished");
});
afterEach(() => at.close());

const rollBack = (...more: string[]) =>
  at.start(["rollback", "--deployment", id, "--reason", "false alarms", "--wait", "--timeout", "30s", ...more]);

test.each([
  ["line-a", "line-b"],
  ["line-b", "line-a"],
])("it ends when %s is back and %s too", async (first) => {
  const running = rollBack("--json");
  await running.says("rolling-back: 0/3 committed");
  const lines = { "line-a": [at.d1, at.d2], "line-b": [at.d3] };
  const before = { "line-a": "v2.0", "line-b": "v2.1" };
  const second = first === "line-a" ? "line-b" : "line-a";
  for (const device of lines[first as keyof typeof lines])
    await device.report(before[first as keyof typeof before], {});
  await running.says(`rolling-back: ${lines[first as keyof typeof lines].length}/3 committed`);
  expect(running.child.exitCode).toBeNull();
  for (const device of lines[second]) await device.report(before[second], {});
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(json(ended)).toMatchObject({ id, version: "v2.2", state: "rolled-back" });
});

const restoring = async (version: string) => {
  const { body } = await at.hub.call("GET", `/api/v1/deployments?version=${version}`);
  return (body["items"] as { id: string }[])[0]?.id ?? "";
};

test("a device that does not go back is counted, in the result too", async () => {
  const running = rollBack();
  await running.says("rolling-back: 0/3 committed");
  const why = { outcome: "rolled-back", code: "GOLDEN_MISMATCH", message: "wrong answers" } as const;
  await at.d1.report("v2.2", { deployment_id: await restoring("v2.0"), version: "v2.0", ...why });
  await running.says("1 rolled back");
  await at.d2.report("v2.0", {});
  await at.d3.report("v2.1", {});
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout).toContain("v2.2 to line-a, line-b: rolled-back");
  expect(ended.stdout).toContain("2 of 3 devices committed; 1 rolled back");
});

test("who pauses one of those that take the groups back halts it, and that one is named", async () => {
  const running = rollBack();
  await running.says("rolling-back: 0/3 committed");
  const one = await restoring("v2.0");
  await at.run(["deployments", "pause", one, "--reason", "line is down"]);
  const ended = await running.ended;
  expect(ended.code).toBe(3);
  expect(ended.stderr).toMatch(/v2\.0 is paused: .*line is down.*DEPLOYMENT_PAUSED/);
  expect(ended.stderr).toContain(`retry ${one}`);
});

test("who runs out of time is told how to go on watching, which ends as the rollback does", async () => {
  const early = await at.run(["rollback", "--deployment", id, "--wait", "--timeout", "1s"]);
  expect(early.code).toBe(4);
  const again = `deployments wait ${id} --until rolled-back`;
  expect(early.stderr).toContain(again);
  const running = at.start([...again.split(" "), "--timeout", "30s"]);
  await running.says("rolling-back: 0/3 committed");
  for (const device of [at.d1, at.d2]) await device.report("v2.0", {});
  await at.d3.report("v2.1", {});
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout).toContain("v2.2 to line-a, line-b: rolled-back");
});
