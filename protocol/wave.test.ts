// Waves: uniform, stable, and only ever growing.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isInWave, wavePlace } from "./wave.ts";

const fleet = Array.from({ length: 2_000 }, (_, index) => `edge-${index}`);

test("raising the share only ever adds devices", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (device, deployment, share) => {
      if (isInWave(device, deployment, share))
        expect(isInWave(device, deployment, Math.min(1, share + 0.1))).toBe(true);
    }),
  );
});

test("share 0 moves nobody and share 1 moves everybody", () => {
  expect(fleet.filter((device) => isInWave(device, "dep", 0))).toEqual([]);
  expect(fleet.filter((device) => isInWave(device, "dep", 1))).toHaveLength(fleet.length);
});

test.each([0.01, 0.1, 0.25, 0.5, 0.9])("share %d picks about that part of a fleet", (share) => {
  const picked = fleet.filter((device) => isInWave(device, "dep-1", share)).length / fleet.length;
  expect(Math.abs(picked - share)).toBeLessThan(0.04);
});

test("another deployment starts with other devices", () => {
  const first = (deployment: string) => fleet.filter((device) => isInWave(device, deployment, 0.05));
  const both = first("dep-1").filter((device) => first("dep-2").includes(device));
  expect(both.length).toBeLessThan(first("dep-1").length / 3);
});

test("the place of a device never changes between releases of this function", () => {
  // Fixed by hand once: hub and agents of different age must agree.
  expect(wavePlace("edge-001", "dep-1")).toBe(0.3103880984708667);
});
