// The commands of a page under docs/, as a reader would paste them: what a page promises is what is run here.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @param heading without its hashes; every `sh` block below it, up to the next heading of its rank or above
 * @returns the blocks in their order
 */
export function stepsOf(page: string, heading: string): string[] {
  const lines = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), "utf8").split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`docs/${page} has no heading "${heading}"`);
  const rank = /^#+/.exec(lines[start] ?? "")?.[0].length ?? 0;
  const blocks: string[] = [];
  let block: string[] | null = null;
  for (const line of lines.slice(start + 1)) {
    const hashes = /^(#+) /.exec(line)?.[1];
    if (block === null && hashes !== undefined && hashes.length <= rank) break;
    if (block === null && line.trim() === "```sh") block = [];
    else if (block !== null && line.trim() === "```") {
      blocks.push(block.join("\n"));
      block = null;
    } else block?.push(line);
  }
  if (blocks.length === 0) throw new Error(`"${heading}" of docs/${page} has no commands`);
  return blocks;
}
