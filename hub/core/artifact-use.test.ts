// Which files may be removed: tables of everything that can need one, and no combination of them that loses a file in use.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Stage } from "@context-edge/protocol";
import { type FileFacts, type Slot, type UseFacts, usersOf, whyKept } from "./artifact-use.ts";

const NOBODY: UseFacts = { targets: [], deployments: [], manifests: [], devices: [] };
const target = { group_name: "line-a", model: "default", version: "v9", previous_version: null, outside_version: null };
const deployment = { id: "d1", model: "default", version: "v9", previous: {} };
const offer = { model: "default", version: "v9", digests: ["99"] };
const slot: Slot = { model: "default", slot: "current", version: "v9", digest: "99" };
const v1 = {
  isVersion: (model: string, id: string) => `${model}/${id}` === "default/v1",
  isDigest: (d: string) => d === "11",
};

test.each<[string, Partial<UseFacts>, string[]]>([
  ["nobody", {}, []],
  [
    "others",
    {
      targets: [target],
      deployments: [deployment],
      manifests: [{ group: "line-a", offers: [offer] }],
      devices: [{ id: "e1", slots: [slot] }],
    },
    [],
  ],
  ["a target", { targets: [{ ...target, version: "v1" }] }, ["is the target of line-a"]],
  ["another model's target of that name", { targets: [{ ...target, model: "audio", version: "v1" }] }, []],
  ["a way back", { targets: [{ ...target, previous_version: "v1" }] }, ["is what line-a would go back to"]],
  ["who waits outside", { targets: [{ ...target, outside_version: "v1" }] }, ["is what line-a runs outside the wave"]],
  ["a deployment", { deployments: [{ ...deployment, version: "v1" }] }, ["belongs to deployment d1"]],
  [
    "a deployment that may be undone",
    { deployments: [{ ...deployment, previous: { "line-a": null, "line-b": "v1" } }] },
    ["is what deployment d1 would restore"],
  ],
  [
    "a manifest",
    { manifests: [{ group: "line-a", offers: [offer, { ...offer, version: "v1" }] }] },
    ["is in the manifest of line-a"],
  ],
  [
    "a manifest that has the bytes under another name",
    { manifests: [{ group: "line-a", offers: [{ ...offer, digests: ["99", "11"] }] }] },
    ["is in the manifest of line-a"],
  ],
  ["a device that runs it", { devices: [{ id: "e1", slots: [{ ...slot, version: "v1" }] }] }, ["runs on e1"]],
  [
    "a device's backup",
    { devices: [{ id: "e1", slots: [slot, { ...slot, slot: "backup", digest: "11" }] }] },
    ["is the backup of e1"],
  ],
  [
    "a device that is at it",
    { devices: [{ id: "e1", slots: [{ ...slot, slot: "attempt", digest: "11" }] }] },
    ["is being installed on e1"],
  ],
])("needed by %s", (_who, facts, expected) => {
  expect(usersOf(v1, { ...NOBODY, ...facts })).toEqual(expected);
});

const LIMIT = 1_000;
const version = (stage: Stage, decidedMs = 0) => ({ model: "default", version_id: "v1", stage, decidedMs });
test.each<[string, Partial<FileFacts>, string | null]>([
  ["never registered, and old", {}, null],
  ["never registered, and young", { writtenMs: LIMIT }, "was uploaded not long ago"],
  ["never registered, and uploaded again", { uploadedMs: LIMIT }, "was uploaded not long ago"],
  ["pending", { versions: [version("pending")] }, "belongs to v1, which is pending"],
  ["rejected", { versions: [version("rejected")] }, "belongs to v1, which is rejected"],
  ["quarantined", { versions: [version("quarantined")] }, "belongs to v1, which is quarantined"],
  ["archived long ago", { versions: [version("archived")] }, null],
  ["archived lately", { versions: [version("archived", LIMIT)] }, "belongs to v1, which was archived not long ago"],
  [
    "archived, but another version has the same bytes",
    { versions: [version("archived"), version("approved")] },
    "belongs to v1, which is approved",
  ],
  ["archived and needed all the same", { versions: [version("archived")], uses: ["runs on e1"] }, "runs on e1"],
  ["never registered, but on a device", { uses: ["runs on e1"] }, "runs on e1"],
])("a file that is %s", (_what, facts, expected) => {
  expect(whyKept({ versions: [], uses: [], writtenMs: 0, uploadedMs: 0, ...facts }, LIMIT)).toBe(expected);
});

const ids = ["v1", "v2", "v3"] as const;
const digestOf = { v1: "11", v2: "22", v3: "33" } as const;
const id = fc.constantFrom(...ids);
const fleets = fc.record<UseFacts>({
  targets: fc.array(
    fc.record({
      group_name: fc.constant("g"),
      model: fc.constant("default"),
      version: id,
      previous_version: fc.option(id),
      outside_version: fc.option(id),
    }),
    { maxLength: 2 },
  ),
  deployments: fc.array(
    fc.record({
      id: fc.constant("d"),
      model: fc.constant("default"),
      version: id,
      previous: fc.dictionary(fc.constantFrom("g", "h"), fc.option(id)),
    }),
    { maxLength: 2 },
  ),
  manifests: fc.array(
    fc.record({
      group: fc.constant("g"),
      offers: fc.array(
        id.map((one) => ({ model: "default", version: one, digests: [digestOf[one]] })),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
  devices: fc.array(
    fc.record({
      id: fc.constant("e"),
      slots: fc.array(
        fc.record({
          model: fc.constant("default"),
          slot: fc.constantFrom("current", "backup", "attempt"),
          version: id,
          digest: id.map((one) => digestOf[one]),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
});

test("whatever stands in a fleet's records, no file that they name by version or by digest ever goes", () => {
  fc.assert(
    fc.property(fleets, id, fc.boolean(), (facts, one, isRegistered) => {
      const sought = {
        isVersion: (_model: string, name: string) => name === one,
        isDigest: (d: string) => d === digestOf[one],
      };
      const versions = isRegistered
        ? [{ model: "default", version_id: one, stage: "archived" as const, decidedMs: 0 }]
        : [];
      const kept = whyKept({ versions, uses: usersOf(sought, facts), writtenMs: 0, uploadedMs: 0 }, 1);
      // By its text, whatever the fields are called that hold it.
      const isNamed = new RegExp(`"(${one}|${digestOf[one]})"`).test(JSON.stringify(facts));
      expect(kept !== null).toBe(isNamed);
    }),
    { numRuns: 500 },
  );
});
