// The swap itself: temporary link, rename, fsync of the directory, while another process opens the link without a pause.
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Bundle, bundle, started } from "./child.ts";
import { keep, LEAST_ROUNDS, mediansOf, pairedRounds, quantile, type Sample } from "./measure.ts";

const SWAPS = 1_000;

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const child = await bundle("swap-child.ts");
  const samples = await pairedRounds({ swap: () => oneRound(child) }, rounds);
  await child.drop();
  const opens = samples["swap"]?.reduce((sum, sample) => sum + (sample["opens"] ?? 0), 0) ?? 0;
  const failures = samples["swap"]?.reduce((sum, sample) => sum + (sample["failedOpens"] ?? 0), 0) ?? 0;
  console.log(`${failures} failed opens in ${opens}`);
  await keep({ bench: "swap", rounds, medians: mediansOf(samples), ratios: {}, samples });
}

async function oneRound(child: Bundle): Promise<Sample> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-bench-"));
  const link = join(dir, "current.trt");
  const files = ["model-v1.trt", "model-v2.trt"];
  try {
    for (const file of files) await writeFile(join(dir, file), "model");
    await symlink("model-v1.trt", link);
    const reader = await started("swap-reader.ts", { link });
    const lines = createInterface(reader.child.stdout ?? process.stdin);
    const times = await child.run<number[]>({ link, files, swaps: SWAPS });
    reader.child.stdin?.end();
    const [line] = (await once(lines, "line")) as [string];
    const { opens, failures } = JSON.parse(line) as { opens: number; failures: number };
    const [p50Ms, p99Ms] = [quantile(times, 0.5), quantile(times, 0.99)];
    return { p50Ms, p99Ms, maxMs: Math.max(...times), opens, failedOpens: failures };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
