// The images at work: a hub and two agents in containers that may do nothing else, with deployments, a bad version, a rollback and ends at bad moments.
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { type DemoDevice, LINK_NAME } from "@context-edge/demo/layout.ts";
import { registerVersion } from "@context-edge/demo/seed.ts";
import { Deployment, Device } from "@context-edge/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type ContainerFleet, startContainers, USER } from "./container-fleet.ts";

const engine = inject("engine");
const SETTLE_MS = 90_000;
const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

describe.skipIf(engine === null)("in containers", { timeout: 240_000 }, () => {
  let fleet: ContainerFleet;
  const digests: Record<string, string> = {};
  beforeAll(async () => {
    fleet = await startContainers(engine?.host ?? "", (target) => `${engine?.registry}/${target}:test`);
    await eventually("both enrol", async () => (await fleet.hub.devices()).length === 2, SETTLE_MS);
    for (const [index, version] of ["v2.0", "v2.1", "v2.3"].entries())
      digests[version] = await registerVersion(fleet.hub, fleet.releaseKey, version, index + 1);
  }, 180_000);
  afterAll(() => fleet?.close());

  const device = async (id: string) => Device.parse(await fleet.call("GET", `/api/v1/devices/${id}`));
  const deployment = async (id: string) => Deployment.parse(await fleet.call("GET", `/api/v1/deployments/${id}`));
  const deploy = async (version: string) => {
    const made = await fleet.call("PUT", "/api/v1/groups/line/target", { version });
    return (made as { id: string }).id;
  };
  const hasEnded = (id: string, state: string) =>
    eventually(`${id} is ${state}`, async () => (await deployment(id)).state === state, SETTLE_MS);
  /** What the host's own service would open at this instant. */
  const served = ({ modelsDir }: DemoDevice) => {
    const target = readlinkSync(join(modelsDir, LINK_NAME));
    // Relative, so that it leads to the same file inside the container and outside.
    expect(target).not.toContain("/");
    return digestOf(join(modelsDir, target));
  };
  const state = (name: string) => fleet.run("inspect", "--format", "{{json .State}}", name);
  const expectAllServe = (version: string) => {
    for (const one of fleet.devices) expect(served(one), one.id).toBe(digests[version]);
  };

  test("nothing is theirs that they do not need, and they say that they are well", async () => {
    for (const name of ["hub", ...fleet.devices.map(({ id }) => id)]) {
      const [{ HostConfig, Config }] = JSON.parse(await fleet.run("inspect", name)) as [
        { HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; Privileged: boolean }; Config: { User: string } },
      ];
      expect({ ...HostConfig, ...Config }).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        Privileged: false,
        User: `${USER}:${USER}`,
      });
      await eventually(`${name} is healthy`, async () => (await state(name)).includes(`"Status":"healthy"`), 30_000);
      const written = await fleet.run(
        "exec",
        name,
        "node",
        "-p",
        "try{fs.writeFileSync('/app/x','');'wrote'}catch(e){e.code}",
      );
      expect(written).toBe("EROFS");
    }
  });

  test("a deployment reaches both hosts, and the files are the agent's own", async () => {
    const id = await deploy("v2.0");
    await hasEnded(id, "finished");
    expectAllServe("v2.0");
    for (const { id: name, modelsDir } of fleet.devices) {
      expect((await device(name)).models["default"]).toMatchObject({ current: { version: "v2.0" }, sync: "in-sync" });
      const { uid, mode } = lstatSync(join(modelsDir, readlinkSync(join(modelsDir, LINK_NAME))));
      expect({ uid, isWritableByOthers: (mode & 0o022) !== 0 }).toEqual({ uid: USER, isWritableByOthers: false });
    }
  });

  test("a version that answers wrongly is undone by each agent itself", async () => {
    const id = await deploy("v2.3");
    await hasEnded(id, "paused");
    for (const one of fleet.devices)
      await eventually(`${one.id} rests`, async () => (await fleet.phase(one)) === "idle", SETTLE_MS);
    expectAllServe("v2.0");
    // The first one halts it, so that the other may not have begun.
    const ends = await Promise.all(fleet.devices.map(async (one) => (await device(one.id)).models["default"]));
    const ofThis = ends.flatMap((model) => model?.last_outcome ?? []).filter((end) => end.deployment_id === id);
    expect(ofThis.length).toBeGreaterThan(0);
    for (const end of ofThis) expect(end).toMatchObject({ outcome: "rolled-back", code: "GOLDEN_MISMATCH" });
    await fleet.call("POST", `/api/v1/deployments/${id}/rollback`, { reason: "v2.3 answers wrongly" });
    await hasEnded(id, "rolled-back");
    expectAllServe("v2.0");
  });

  test("a deployment that went well is rolled back by a person", async () => {
    const id = await deploy("v2.1");
    await hasEnded(id, "finished");
    expectAllServe("v2.1");
    await fleet.call("POST", `/api/v1/deployments/${id}/rollback`, { reason: "the line wants the old one" });
    await hasEnded(id, "rolled-back");
    expectAllServe("v2.0");
  });

  test("an agent killed in mid-swap goes on in the same container, and a pod's end waits for the other one's swap", async () => {
    const [first, second] = fleet.devices as [DemoDevice, DemoDevice];
    const id = await deploy("v2.1");
    const isSwapping = async (one: DemoDevice) => /activating|probing|soaking/.test(await fleet.phase(one));
    await eventually("the second one swaps", () => isSwapping(second), SETTLE_MS);
    const waited = fleet.run("exec", second.id, "node", "until-settled.ts", "60");
    await eventually("the first one swaps", () => isSwapping(first), SETTLE_MS);
    await fleet.run("kill", "--signal", "KILL", first.id);
    // A whole model, whichever.
    expect([digests["v2.0"], digests["v2.1"]]).toContain(served(first));
    await waited;
    expect(await fleet.phase(second)).toBe("idle");
    expect(served(second)).toBe(digests["v2.1"]);

    await fleet.run("start", first.id);
    await hasEnded(id, "finished");
    expectAllServe("v2.1");
  });

  test("both ends are orderly, and another hub goes on from a backup on the same volume", async () => {
    const backup = "/var/lib/context-edge/before-upgrade.sqlite";
    await fleet.run("exec", "hub", "node", "hub/main.ts", "backup", backup);
    await fleet.run("stop", "--time", "30", "hub");
    expect(await fleet.run("inspect", "--format", "{{.State.ExitCode}}", "hub")).toBe("0");
    await fleet.run("rm", "hub");
    await fleet.hubJob("restore", backup);
    await fleet.startHub();
    await eventually("the new hub is ready", () => fleet.hub.isReady(), 30_000);
    const id = await deploy("v2.0");
    await hasEnded(id, "finished");
    expectAllServe("v2.0");

    await fleet.run("stop", "--time", "30", "node-1");
    expect(await fleet.run("inspect", "--format", "{{.State.ExitCode}}", "node-1")).toBe("0");
  });
});
