// The archive for devices: the same bytes each time, everything in it that install.sh needs, for the platform it is for.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, expect, inject, test } from "vitest";
import { pack, type Packed } from "./release.ts";

const made: Packed[] = [];
afterAll(() => {
  for (const one of made) one.drop();
});
function packed(platform: "linux-arm64" | "linux-x64"): Packed {
  const one = pack(platform);
  made.push(one);
  return one;
}
const inside = ({ archive }: Packed, name: string) =>
  execFileSync("tar", ["-xzOf", archive, "--wildcards", `*/${name}`], { maxBuffer: 512 * 1024 * 1024 });

test("the same commit gives the same bytes", () => {
  expect(packed(process.arch === "arm64" ? "linux-arm64" : "linux-x64").sha256).toBe(inject("sha256"));
});

test("the archive for Jetsons holds a Node for arm64 and whatever install.sh puts in place", ({ skip }) => {
  let archive: Packed;
  try {
    archive = packed("linux-arm64");
  } catch (error) {
    process.stderr.write(`SKIPPED: the archive for arm64 was not made: ${String(error).slice(0, 500)}\n`);
    return skip();
  }
  const names = execFileSync("tar", ["-tvzf", archive.archive], { encoding: "utf8" });
  expect(names).toMatch(/-rwxr-xr-x 0\/0 .*\/install\.sh\n/);
  expect(names).not.toMatch(/hub|backup|test/);
  const version = inside(archive, "VERSION").toString();
  expect(version).toContain("platform linux-arm64\n");
  // ELF header, e_machine at 18: 183 is AArch64. It is not run anywhere here.
  const node = inside(archive, "bin/node");
  expect([node.toString("latin1", 0, 4), node.readUInt16LE(18)]).toEqual(["\u007fELF", 183]);
  // What the script names, the archive has.
  const script = ["install/service.sh", "install/files.sh", "install/settings.sh"].map((part) =>
    readFileSync(new URL(`../../systemd/${part}`, import.meta.url), "utf8"),
  );
  const needed = script.join("").match(/"\$(?:1|units)\/([a-z][a-z.-]+)"/g) ?? [];
  expect(needed.length).toBeGreaterThan(6);
  for (const one of needed) expect(names).toContain(`/systemd/${one.slice(1, -1).split("/")[1]}`);
});
