// Whom a version has a file for: what a reviewer is told before anything is deployed.
import { expect, test } from "vitest";
import { aDevice, aVersion, digestOf } from "../testing/fixtures.ts";
import { fitsInWords, fitsOf } from "./fits.ts";

const orin = (id: string) =>
  aDevice(id, { inventory: { agent_version: "1", arch: "arm64", module: "NVIDIA Jetson Orin NX", sm: "8.7" } });
const xavier = (id: string) =>
  aDevice(id, { inventory: { agent_version: "1", arch: "arm64", module: "NVIDIA Jetson Xavier NX", sm: "7.2" } });
const forOrin = aVersion("v2.2", {
  variants: [{ digest: digestOf("v2.2"), size_bytes: 1, format: "trt", platform: { sm: "8.7" } }],
});

test("devices without a variant are counted by module, with what they would need", () => {
  const fits = fitsOf(forOrin, [orin("a"), orin("b"), xavier("c"), aDevice("d", { inventory: null })]);
  expect(fits).toMatchObject({ total: 4, fitting: 2, unknown: 1 });
  expect(fits.lacking).toEqual([
    { module: "NVIDIA Jetson Xavier NX", devices: ["c"], why: expect.stringContaining("sm 8.7") },
  ]);
  expect(fits.chosen.get(digestOf("v2.2"))).toBe(2);
  expect(fitsInWords(fits)).toBe(
    "fits 2 of 4 devices; 1 NVIDIA Jetson Xavier NX has no variant; 1 has not said yet what it is",
  );
});

test("a portable file fits everybody", () => {
  expect(fitsInWords(fitsOf(aVersion("v2.1"), [orin("a"), xavier("b")]))).toBe("fits all 2 devices");
  expect(fitsInWords(fitsOf(aVersion("v2.1"), []))).toBe("there is no device yet");
});
