// A directory of its own for each test, gone afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-effects-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
