// Download, verification and fsync of one artifact by the agent, against curl, openssl and sync on the same server and disk.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bundle, bundle, shellTimes, started } from "./child.ts";
import { keep, LEAST_ROUNDS, medianRatio, mediansOf, pairedRounds, type Sample } from "./measure.ts";

const MIB = 1024 * 1024;
const SIZES_MIB = [256, 1024];

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const child = await bundle("download-child.ts");
  try {
    for (const sizeMib of SIZES_MIB) await one(child, sizeMib, rounds);
  } finally {
    await child.drop();
  }
}

async function one(child: Bundle, sizeMib: number, rounds: number): Promise<void> {
  const sizeBytes = sizeMib * MIB;
  const server = await started("serve-artifact.ts", { sizeBytes });
  const { url, digest } = JSON.parse(server.first) as { url: string; digest: string };
  const dir = await mkdtemp(join(tmpdir(), "context-edge-bench-"));
  const file = join(dir, "artifact");
  try {
    const warm: Sample[] = [];
    const samples = await pairedRounds(
      {
        "agent, first download of its life": async (round) => {
          const both = await child.run<{ cold: Sample; warm: Sample }>({ url, digest, sizeBytes });
          if (round > 0) warm.push(both.warm);
          return both.cold;
        },
        // `sync FILE` and not `sync`: what others on the machine have left to write is not this work.
        "curl, openssl, sync": async () => {
          const times = await shellTimes(
            `curl -sS -o ${file} ${url}; openssl dgst -sha256 ${file} >/dev/null; sync ${file}`,
          );
          await rm(file);
          return times;
        },
      },
      rounds,
    );
    const [cold = [], baseline = []] = Object.values(samples);
    const all = { ...samples, "agent, a later download": warm };
    await keep({
      bench: `download-${sizeMib}MiB`,
      rounds,
      medians: mediansOf(all),
      ratios: {
        "throughput, first": medianRatio(baseline, cold, "wallMs"),
        "throughput, later": medianRatio(baseline, warm, "wallMs"),
        "CPU time, first": medianRatio(cold, baseline, "cpuMs"),
        "CPU time, later": medianRatio(warm, baseline, "cpuMs"),
      },
      samples: all,
    });
  } finally {
    server.child.kill();
    await rm(dir, { recursive: true, force: true });
  }
}
