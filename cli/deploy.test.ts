// Deploying from a shell: what a person or a CI job sees, and how the process ends.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../hub/testing/test-hub.ts";
import { json, openFleet, type FleetScene } from "./testing/run-cli.ts";

describe("deploying to devices that report", () => {
  let at: FleetScene;
  beforeEach(async () => {
    at = await openFleet();
  });
  afterEach(() => at.close());
  const openOf = (version: string) =>
    until(async () => {
      const { body } = await at.hub.call("GET", `/api/v1/deployments?version=${version}`);
      return (body["items"] as { id: string; state: string }[])[0];
    });

  test("deploy --wait follows the devices line by line and ends 0 when all committed", async () => {
    const running = at.start(["deploy", "--group", "line-a", "--version", "v2.1", "--wait", "--timeout", "30s"]);
    await running.says("0/2 committed");
    await at.d1.report("v2.1", {});
    await running.says("1/2 committed");
    await at.d2.report("v2.1", {});
    const ended = await running.ended;
    expect(ended.stdout).toContain("v2.1 to line-a: finished");
    expect(ended.stdout).toContain("2 of 2 devices committed");
    // eslint-disable-next-line no-control-regex
    expect(ended.stdout + ended.stderr).not.toMatch(/\u001b/);
    expect(ended.code).toBe(0);
  });

  test("a deployment that halts ends 3 and says why and what to do", async () => {
    const running = at.start([
      "deploy",
      "--group",
      "line-a",
      "--version",
      "v2.1",
      "--wait",
      "--timeout",
      "30s",
      "--json",
    ]);
    await running.says("0/2 committed");
    await at.d1.report("v2.0", {
      deployment_id: (await openOf("v2.1")).id,
      version: "v2.1",
      outcome: "rolled-back",
      code: "GOLDEN_MISMATCH",
      message: "wrong answers",
    });
    const ended = await running.ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/Halted.*GOLDEN_MISMATCH.*DEPLOYMENT_PAUSED/);
    expect(ended.stderr).toMatch(/next: .*retry dep-/);
    expect(json(ended)).toMatchObject({ state: "paused", version: "v2.1" });
  });

  test("a deployment that is rolled back by somebody else while it is watched ends 3", async () => {
    const running = at.start(["deploy", "--group", "line-a", "--version", "v2.1", "--wait", "--timeout", "30s"]);
    await running.says("0/2 committed");
    const back = await at.run(["rollback", "--version", "v2.1", "--to", "v2.0", "--reason", "no"]);
    expect(back.code, back.stderr).toBe(0);
    const ended = await running.ended;
    expect(ended.stderr).toContain("DEPLOYMENT_ROLLED_BACK");
    expect(ended.code).toBe(3);
  });

  test("time is up: it ends 4, and the deployment goes on", async () => {
    const ended = await at.run(["deploy", "--group", "line-a", "--version", "v2.1", "--wait", "--timeout", "1s"]);
    expect(ended.stderr).toContain("WAITED_TOO_LONG");
    expect(ended.code).toBe(4);
    expect((await openOf("v2.1"))?.state).toBe("running");
  });

  test("Ctrl-C stops the watching only", async () => {
    const running = at.start(["deploy", "--group", "line-a", "--version", "v2.1", "--wait"]);
    await running.says("0/2 committed");
    running.child.kill("SIGINT");
    const ended = await running.ended;
    expect(ended.stderr).toMatch(/Stopped watching; the deployment goes on.*deployments wait dep-/);
    expect(ended.code).toBe(130);
    expect((await openOf("v2.1"))?.state).toBe("running");
  });

  test("a gate that has not passed is told line by line, with the way to override it, which works", async () => {
    const refused = await at.run(["deploy", "--all", "--version", "v2.1"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("missing: v2.1 has not been on a pilot group yet");
    expect(refused.stderr).toContain("--override");
    const asJson = json(await at.run(["deploy", "--all", "--version", "v2.1", "--json"]));
    expect(asJson).toMatchObject({ code: "GATE_NOT_MET", status: 409 });
    const forced = await at.run(["deploy", "--all", "--version", "v2.1", "--override", "fixes a hazard", "--json"]);
    expect(forced.code).toBe(0);
    expect(json(forced)).toMatchObject({ kind: "all", version: "v2.1", reason: "fixes a hazard" });
  });

  test("pilot --wait ends 0 when its gate has passed, and deploy --all may follow", async () => {
    const running = at.start(["pilot", "--version", "v2.1", "--devices", "d1", "--wait", "--timeout", "30s"]);
    await running.says("0/1 committed");
    await at.d1.report("v2.1", {});
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain("awaiting-approval");
    expect(ended.stdout).toContain("next: context-edge deploy --all --version v2.1");
    const all = await at.run(["deploy", "--all", "--version", "v2.1", "--json"]);
    expect(all.code, all.stderr).toBe(0);
  });

  test("pause, resume, retry and abort are one command each, and a closed deployment refuses", async () => {
    await at.run(["deploy", "--group", "line-a", "--version", "v2.1"]);
    const id = (await openOf("v2.1")).id;
    const states: unknown[] = [];
    for (const action of ["pause", "resume", "retry", "abort"]) {
      states.push(json(await at.run(["deployments", action, id, "--reason", "because", "--json"]))["state"]);
    }
    expect(states).toEqual(["paused", "running", "running", "aborted"]);
    const again = await at.run(["deployments", "pause", id]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("DEPLOYMENT_CLOSED");
    const back = await at.run(["rollback", "--deployment", id, "--json"]);
    expect(json(back)).toMatchObject({ kind: "rollback", version: "v2.0" });
  });
});
