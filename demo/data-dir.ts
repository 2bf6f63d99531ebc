// The demo's data directory: marked as ours, so that --fresh never deletes a stranger's files.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MARKER = ".context-edge-demo";

export type PreparedDir = { ok: true } | { ok: false; reason: string };

export function prepareDataDir(dir: string, { fresh }: { fresh: boolean }): PreparedDir {
  const isOurs = existsSync(join(dir, MARKER));
  const isEmpty = !existsSync(dir) || readdirSync(dir).length === 0;
  if (!isOurs && !isEmpty) {
    return { ok: false, reason: `${dir} holds files that are not the demo's. Choose another directory with --data.` };
  }
  if (fresh) rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(dir, MARKER),
    "Made by the demo of Context Edge; `npm start -- --fresh` empties this directory.\n",
  );
  return { ok: true };
}
