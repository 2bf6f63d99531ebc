// What is written for operators is what the program does: settings, commands and help come from one source.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { help, settingRows } from "./help.ts";
import { withSettings } from "./write-docs.ts";

const docs = () => readFile(fileURLToPath(new URL("../docs/agent.md", import.meta.url)), "utf8");

test("the settings table of docs/agent.md is the schema's; write it anew with node agent/write-docs.ts", async () => {
  const written = await docs();
  expect(written).toBe(withSettings(written));
  expect(settingRows().length).toBeGreaterThan(30);
});

test("every setting has words, and the help names each once", () => {
  const text = help();
  for (const { name, help: words } of settingRows()) {
    expect(words.length, name).toBeGreaterThan(10);
    expect(text.split(`  ${name} `).length, name).toBe(2);
  }
});

test("every command of the help is explained in the docs", async () => {
  const commands = [...help().matchAll(/^ {2}([a-z]+)[ A-Z-]/gm)].map((match) => match[1] ?? "");
  expect(commands).toEqual(
    expect.arrayContaining(["run", "once", "status", "check", "hold", "rollback", "import", "diagnose"]),
  );
  const written = await docs();
  for (const command of commands) expect(written).toContain(`\`${command}`);
});
