// What pages derive from the state: order, membership, and the sentences of the confirm dialogs.
import { describe, expect, test } from "vitest";
import { aDeployment, aDevice, aDeviceModel, aGroup, anOutcome, aSession, aVersion } from "../testing/fixtures.ts";
import { applySnapshot } from "./reducers.ts";
import {
  changeInWords,
  deploymentsOf,
  devicesInTrouble,
  devicesOf,
  groupsOf,
  membersOf,
  mostlyRunning,
  namesOf,
  troubleInWords,
  versionsOf,
} from "./select.ts";
import { EMPTY_STATE, type Snapshot } from "./state.ts";

const stateOf = (over: Partial<Snapshot>) =>
  applySnapshot(EMPTY_STATE, { session: aSession(), devices: [], groups: [], versions: [], deployments: [], ...over });
const on = (id: string, version: string | null) => aDevice(id, {}, aDeviceModel(version));

describe("order", () => {
  test("devices stand by their id, and a group shows only its own", () => {
    const state = stateOf({ devices: [aDevice("b"), aDevice("a"), aDevice("c", { group: "pilot" })] });
    expect(devicesOf(state).map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(devicesOf(state, "pilot").map(({ id }) => id)).toEqual(["c"]);
  });
  test("versions stand newest first, with v2.10 after v2.9", () => {
    const state = stateOf({ versions: ["v2.9", "v2.10", "v2.1"].map((id) => aVersion(id)) });
    expect(versionsOf(state).map((one) => one.version_id)).toEqual(["v2.10", "v2.9", "v2.1"]);
  });
  test("deployments stand newest first and the pilot group before the others", () => {
    const state = stateOf({
      deployments: [aDeployment("dep-1"), aDeployment("dep-2")],
      groups: ["line-10", "pilot", "line-9"].map((name) => aGroup(name)),
    });
    expect(deploymentsOf(state).map(({ id }) => id)).toEqual(["dep-2", "dep-1"]);
    expect(groupsOf(state).map(({ name }) => name)).toEqual(["pilot", "line-9", "line-10"]);
  });
  test("the running version is the one on most devices, and none when nothing runs", () => {
    const versions = [aVersion("v2.0", { running_on: 6 }), aVersion("v2.1", { running_on: 2 }), aVersion("v2.2")];
    expect(mostlyRunning(stateOf({ versions }))?.version_id).toBe("v2.0");
    expect(mostlyRunning(stateOf({ versions: [aVersion("v2.2")] }))).toBeUndefined();
  });
});

describe("a change in words", () => {
  test.each([
    [
      "says how many change, from what, to what",
      [on("a", "v2.0"), on("b", "v2.0"), on("c", "v2.0")],
      "3 devices of line-1 change from v2.0 to v2.1.",
    ],
    [
      "counts only those that change",
      [on("a", "v2.1"), on("b", "v2.0")],
      "1 device of line-1 changes from v2.0 to v2.1.",
    ],
    [
      "names every version that is left",
      [on("a", "v1.9"), on("b", "v2.0")],
      "2 devices of line-1 change from v1.9 and v2.0 to v2.1.",
    ],
    ["says that a device runs nothing yet", [on("a", null)], "1 device of line-1 changes from nothing to v2.1."],
    ["says when nothing changes", [on("a", "v2.1")], "No device of line-1 changes: all run v2.1 already."],
    [
      "does not speak of all when there are none",
      [],
      "No device changes now: line-1 has none. Devices that come later run v2.1.",
    ],
  ])("%s", (_, devices, words) => {
    expect(changeInWords(devices, "v2.1", "line-1")).toBe(words);
  });
  test("names of devices are cut after a few, and the rest is counted", () => {
    const devices = ["a", "b", "c", "d"].map((id) => aDevice(id));
    expect(namesOf(devices, 2)).toBe("a, b and 2 more");
    expect(namesOf(devices)).toBe("a, b, c, d");
  });
});

describe("membership and trouble", () => {
  test("a deployment's members are the devices whose target it set", () => {
    const target = { version: "v2.1", deployment_id: "dep-1" };
    const state = stateOf({ devices: [aDevice("a", {}, aDeviceModel("v2.0", { target })), aDevice("b")] });
    expect(membersOf(state, aDeployment("dep-1")).map(({ id }) => id)).toEqual(["a"]);
  });

  const failed = aDevice(
    "a",
    {},
    aDeviceModel("v2.0", {
      sync: "failed",
      target: { version: "v2.3", deployment_id: "dep-1" },
      last_outcome: anOutcome({ outcome: "rolled-back", message: "golden samples were answered wrongly" }),
    }),
  );
  test("a failed device is in trouble of its own once its deployment is over, and not before", () => {
    const open = stateOf({ devices: [failed], deployments: [aDeployment("dep-1", { state: "paused" })] });
    const over = stateOf({ devices: [failed], deployments: [aDeployment("dep-1", { state: "aborted" })] });
    expect(devicesInTrouble(open)).toEqual([]);
    expect(devicesInTrouble(over)).toEqual([failed]);
    expect(troubleInWords(failed)).toBe("does not run v2.3: golden samples were answered wrongly");
  });
  test("a device that says what troubles it is always shown, in its words", () => {
    const trouble = { code: "DISK_FULL", message: "the disk is full", next_step: "Make room." };
    const device = aDevice("b", { trouble });
    expect(devicesInTrouble(stateOf({ devices: [device] }))).toEqual([device]);
    expect(troubleInWords(device)).toBe("the disk is full");
  });
});
