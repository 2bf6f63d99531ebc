// Versions and what is decided about them: where they run, deciding twice, and putting one out of use and in again.
import { afterAll, beforeAll, expect, test } from "vitest";
import { json, openFleet, type FleetScene } from "./testing/run-cli.ts";

let at: FleetScene;
beforeAll(async () => {
  at = await openFleet();
  // Registered twice by mistake: the very bytes that run as v2.0.
  await at.hub.register("v2.3", { signed: "nobody", bytes: Buffer.from("model v2.0") });
});
afterAll(() => at.close());

test("a rejected version with the bytes of a running one is on no device; rejecting it again says that the first reason stays", async () => {
  const first = await at.run(["reject", "v2.3", "--reason", "registered twice"]);
  expect(first.stdout).toBe("v2.3 is rejected.\n");
  const again = await at.run(["reject", "v2.3", "--reason", "another reason"]);
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/^v2\.3 is rejected already, by local engineer .*: registered twice\. .*reason stays/);
  const shown = json(await at.run(["versions", "v2.3", "--json"]));
  expect(shown).toMatchObject({ stage: "rejected", decision_reason: "registered twice", running_on: 0 });
  const { stdout } = await at.run(["versions"]);
  expect(stdout).toMatch(/v2\.3 +rejected +90\.0 % +\S+ +0 /);
  expect(stdout).toMatch(/v2\.0 +approved +90\.0 % +\S+ +3 /);
});

test("a version that nobody needs is archived and taken back; one in use is refused with who needs it", async () => {
  const archived = await at.run(["archive", "v2.3", "--reason", "no use"]);
  expect(archived.stdout, archived.stderr).toBe("v2.3 is archived.\n");
  expect((await at.run(["versions", "--stage", "archived"])).stdout).toMatch(/v2\.3 +archived/);
  expect((await at.run(["unarchive", "v2.3"])).stdout).toBe("v2.3 waits for review again.\n");
  const refused = await at.run(["archive", "v2.0"]);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toMatch(/v2\.0 is the target of .*Archive it when nobody needs it/s);
  await at.run(["reject", "v2.3", "--reason", "registered twice"]);
});

test("--stage is the hub's own filter", async () => {
  const { stdout } = await at.run(["versions", "--stage", "pending", "--json"]);
  expect((JSON.parse(stdout) as { version_id: string }[]).map((one) => one.version_id)).toEqual(["v2.1"]);
});

test("a version is put into quarantine, listed, and lifted by its name", async () => {
  const added = await at.run(["quarantines", "add", "v2.1", "--reason", "false alarms"]);
  expect(added.code, added.stderr).toBe(0);
  const list = await at.run(["quarantines"]);
  expect(list.stdout).toMatch(/v2\.1 +default +[0-9a-f]{12} +\S+ +local engineer +false alarms/);
  const twice = await at.run(["quarantines", "add", "v2.1", "--reason", "false alarms"]);
  expect(twice).toMatchObject({ code: 1, stdout: "" });
  expect((await at.run(["quarantines", "lift", "v2.0", "--reason", "by mistake"])).stderr).toContain("not quarantined");
  const lifted = await at.run(["quarantines", "lift", "v2.1", "--reason", "it was the cable", "--json"]);
  expect(json(lifted)).toMatchObject({ items: [{ version: "v2.1", lift_reason: "it was the cable" }] });
  expect((await at.run(["quarantines"])).stdout).toBe("Nothing is quarantined.\n");
  expect((await at.run(["quarantines", "--all"])).stdout).toContain("it was the cable");
  expect(json(await at.run(["versions", "v2.1", "--json"]))).toMatchObject({ stage: "pending" });
  // The same bytes under two names: the hub lists them under the first, and either name lifts them.
  await at.hub.register("v2.4", { signed: "nobody", bytes: Buffer.from("model v2.1") });
  await at.run(["quarantines", "add", "v2.4", "--reason", "false alarms"]);
  const other = await at.run(["quarantines", "lift", "v2.4", "--reason", "it was the cable"]);
  expect(other.stdout, other.stderr).toBe("The quarantine of v2.4 is lifted.\n");
  expect((await at.run(["quarantines"])).stdout).toBe("Nothing is quarantined.\n");
  expect((await at.run(["quarantines", "lift", "v 1", "--reason", "by mistake"])).code).toBe(2);
});
