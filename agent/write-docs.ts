// Writes the settings table of docs/agent.md from the schema: `node agent/write-docs.ts`. A test fails when it was forgotten.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { settingRows } from "./help.ts";
import { TOPICS } from "./settings.ts";

const DOCS = fileURLToPath(new URL("../docs/agent.md", import.meta.url));
const BLOCK = /(<!-- settings:[^>]*-->)[\s\S]*(<!-- \/settings -->)/;

/** @returns the document with its table as it should be */
export function withSettings(document: string): string {
  return document.replace(BLOCK, (_, begin: string, end: string) => `${begin}\n\n${settingsTables()}\n\n${end}`);
}

function settingsTables(): string {
  const rows = settingRows();
  const tables = TOPICS.map((topic) => {
    const cells = rows
      .filter((row) => row.topic === topic)
      .map((row) => ["`" + row.name + "`", escaped(row.help), row.fallback === "" ? "" : escaped(row.fallback)]);
    return `### ${topic}\n\n${table([["setting", "what it says", "default"], ...cells])}`;
  });
  return tables.join("\n\n");
}

/** Padded as the formatter pads, so that formatting changes nothing. */
function table(rows: readonly string[][]): string {
  const widths = [0, 1, 2].map((column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/** A bar ends a cell, and asterisks make words slanted. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("*", "\\*");
}

if (import.meta.main) await writeFile(DOCS, withSettings(await readFile(DOCS, "utf8")));
