// Help: every setting once, each command its own page, and wrong use answered with what is right.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { COMMANDS, helpOf, isCommand, usageOf } from "../help.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, HUB_DATA: join(tmpdir(), "no-hub-is-here") };
  return new Promise((resolve) => {
    execFile(process.execPath, [here("../main.ts"), ...words], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, out, err }),
    );
  });
}

test("every setting is told once, and none that there is not", async () => {
  const sources = await Promise.all(
    ["../config.ts", "../auth/auth-config.ts", "../cluster/cluster-config.ts"].map((path) =>
      readFile(here(path), "utf8"),
    ),
  );
  const real = sources.flatMap((text) =>
    [...text.matchAll(/^ {2}((?:HUB|S3)_\w+|DATABASE_URL):/gm)].map(([, name]) => name),
  );
  expect(real.length).toBeGreaterThan(30);
  const settings = helpOf().slice(helpOf().indexOf("Settings"));
  const told = settings.split("\n").flatMap((line) => {
    // What a line is about stands at its beginning, alone or as a list.
    const names = /^ {2}((?:[A-Z\d_]+(?:, )?)+)/.exec(line)?.[1] ?? "";
    return names.split(", ").filter((name) => name !== "");
  });
  expect(new Set(told)).toEqual(new Set(real));
  expect(told).toHaveLength(new Set(told).size);
});

test.each(Object.keys(COMMANDS).filter(isCommand))("%s --help tells of this command alone", async (name) => {
  const { code, out } = await cli(name, "--help");
  expect(code).toBe(0);
  expect(out).toBe(helpOf(name));
  for (const form of COMMANDS[name].forms) expect(out).toContain(`npm run hub -- ${form}`);
  expect(out).not.toContain("HUB_PORT");
  for (const other of Object.keys(COMMANDS).filter((one) => one !== name))
    expect(out).not.toContain(`npm run hub -- ${other} `);
});

test.each([
  [["token", "create", "ci", "--scope", "viewer", "--expires", "90"], /--expires .* 90d or 12h, and not "90"/],
  [["join-token", "create", "--uses", "many"], /--uses is a whole number, and not "many"/],
  [["token", "create", "ci", "--scope", "king"], /--scope: .*viewer/],
  [["token", "create", "c", "--scope", "viewer"], /the name: /],
])("%j says what is wrong with it, and how it is said right", async (words, message) => {
  const { code, err } = await cli(...words);
  expect(code).toBe(2);
  expect(err).toMatch(message);
  const [name = ""] = words;
  expect(isCommand(name) && err.includes(usageOf(name))).toBe(true);
});
