// trtexec in two generations: printed summaries, exported times, refused flags, failures and hangs, by a script in its place.
import { chmod, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProbePolicy } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { tempDir } from "../../testing/temp-dir.ts";
import { parseTimes, parseTrtexec } from "./trtexec-output.ts";
import { trtexecProbe } from "./trtexec.ts";

const never = new AbortController().signal;
const policy = ProbePolicy.parse({ warmup_ms: 10, window_ms: 1_000, samples: 5 });

const NEW = `&&&& RUNNING TensorRT.trtexec [TensorRT v100300] # trtexec --loadEngine=e
[11/15/2024-08:38:09] [I] === Performance summary ===
[11/15/2024-08:38:09] [I] Throughput: 123.4 qps
[11/15/2024-08:38:09] [I] Latency: min = 8.1 ms, max = 9.9 ms, mean = 8.3 ms, median = 8.2 ms, percentile(90%) = 8.5 ms, percentile(95%) = 8.7 ms, percentile(99%) = 9.1 ms
[11/15/2024-08:38:09] [I] Enqueue Time: min = 0.1 ms, max = 0.2 ms, mean = 0.1 ms, median = 0.1 ms
&&&& PASSED TensorRT.trtexec [TensorRT v100300] # trtexec --loadEngine=e`;
const OLD = `[01/02/2022-03:04:05] [I] Latency: min = 3.1 ms, max = 4.9 ms, mean = 3.3 ms, median = 3.2 ms, percentile(99%) = 4.1 ms
[01/02/2022-03:04:05] [I] End-to-End Host Latency: min = 5.1 ms, max = 6.9 ms, mean = 5.3 ms, median = 5.2 ms, percentile(99%) = 6.1 ms
&&&& PASSED TensorRT.trtexec # trtexec`;
const FAILED = `[01/02/2024-03:04:05] [E] [TRT] 6: The engine plan file is generated on an incompatible device, expecting compute 8.7 got compute 7.2, please rebuild.
&&&& FAILED TensorRT.trtexec [TensorRT v8502] # trtexec`;

describe("trtexec", () => {
  test("both generations of the summary", () => {
    expect(parseTrtexec(NEW)).toMatchObject({
      passed: true,
      version: "100300",
      minMs: 8.1,
      maxMs: 9.9,
      medianMs: 8.2,
      percentilesMs: { 90: 8.5, 95: 8.7, 99: 9.1 },
    });
    expect(parseTrtexec(OLD)).toMatchObject({ passed: true, version: null, meanMs: 3.3, percentilesMs: { 99: 4.1 } });
    expect(parseTrtexec(FAILED)).toMatchObject({ passed: false, version: "8502", meanMs: null });
    expect(parseTrtexec("")).toMatchObject({ passed: false, error: "" });
  });

  test("exported times with inf and nan in them, and a file that is none", () => {
    const times =
      '[{"startEnqMs": 1.5, "latencyMs": 8.1, "computeMs": 7}, {"latencyMs": inf, "computeMs": nan}, {"computeMs": 7.5}]';
    expect(parseTimes(times)).toEqual([8.1, 7.5]);
    expect(parseTimes("")).toEqual([]);
    expect(parseTimes('{"a": 1}')).toEqual([]);
  });

  /** A trtexec that prints what it is told, and writes times where it is told. */
  async function fake(script: string) {
    const dir = await tempDir();
    const program = join(dir, "trtexec");
    await writeFile(
      program,
      `#!/bin/sh\necho "$@" >> ${dir}/argv\nfor w; do case $w in --exportTimes=*) out=\${w#*=};; esac; done\n${script}\n`,
    );
    await chmod(program, 0o755);
    const link = join(dir, "current.trt");
    await writeFile(join(dir, "model-v1.trt"), "plan");
    await symlink("model-v1.trt", link);
    const probe = trtexecProbe({ program, more: ["--shapes=in:1x3x640x640"], link });
    return { probe, dir, link, argv: () => readFile(join(dir, "argv"), "utf8") };
  }
  const printing = (text: string) => `cat <<'END'\n${text}\nEND\n`;
  const probing = { policy, golden: null };

  test("times come from the export, version and flags stand beside them", async () => {
    const { probe, argv, link } = await fake(
      `${printing(NEW)}[ -n "$out" ] && echo '[{"latencyMs": 8}, {"latencyMs": 9}]' > "$out"; exit 0`,
    );
    expect(await probe.look(never)).toMatchObject({ ready: true });
    expect(await probe.measure(probing, never)).toMatchObject({
      samples: 2,
      errors: 0,
      p95_ms: 9,
      tags: { trtexec: "100300", flags: "--useSpinWait --noDataTransfers" },
    });
    expect(await argv()).toContain(`--loadEngine=${link} --warmUp=10 --duration=1`);
    expect(await argv()).toContain("--shapes=in:1x3x640x640");
  });

  test("an engine that was proved is not loaded again at every look, another one behind the link is", async () => {
    const { probe, dir, link, argv } = await fake(printing(NEW));
    for (let look = 0; look < 3; look += 1) expect(await probe.look(never)).toMatchObject({ ready: true });
    expect(await probe.isAnswering(probing, never)).toBe(true);
    const loads = async () => (await argv()).match(/--skipInference/g)?.length;
    expect(await loads()).toBe(1);
    await writeFile(join(dir, "model-v2.trt"), "another plan");
    await rm(link);
    await symlink("model-v2.trt", link);
    expect(await probe.look(never)).toMatchObject({ ready: true });
    expect(await loads()).toBe(2);
    await rm(join(dir, "model-v2.trt"));
    expect(await probe.look(never)).toMatchObject({
      ready: false,
      detail: expect.stringContaining("leads to no file"),
    });
  });

  test("a program that exports no times is read by what it prints", async () => {
    const { probe } = await fake(printing(`${NEW}\n[11/15/2024-08:38:09] [I] Total Host Walltime: 3.00 s`));
    expect(await probe.measure(probing, never)).toMatchObject({ samples: 370, errors: 0, p50_ms: 8.2, p95_ms: 8.7 });
    const old = `${OLD}\n[01/02/2022-03:04:05] [I] Throughput: 100 qps\n[01/02/2022-03:04:05] [I] Total Host Walltime: 2 s`;
    const { probe: older } = await fake(printing(old));
    // A single percentile was printed then: the 99th is no kinder than the 95th.
    expect(await older.measure(probing, never)).toMatchObject({ samples: 200, p95_ms: 4.1, max_ms: 4.9 });
  });

  test("flags that a newer one refuses are left out", async () => {
    const refuses = `case "$*" in *useSpinWait*) echo "Unknown option: --useSpinWait" >&2; exit 1;; esac`;
    const { probe } = await fake(`${refuses}\n${printing(NEW)}echo '[{"latencyMs": 8}]' > "$out"`);
    expect(await probe.measure(probing, never)).toMatchObject({ samples: 1, errors: 0, tags: { flags: "" } });
  });

  test.each([
    ["that failed", `${printing(FAILED)}exit 1`, /built for compute capability 8\.7/],
    ["that ended well and never said PASSED", "exit 0", /^$/],
    ["that is not there", "exit 127", /^$/],
  ])("a program %s is no proof", async (_, script, detail) => {
    const { probe } = await fake(script);
    const seen = await probe.look(never);
    expect(seen.ready).toBe(false);
    expect(seen.detail).toMatch(detail);
    expect(await probe.measure(probing, never)).toMatchObject({ errors: 1, p95_ms: null });
  });

  test("fault 43: one that hangs is ended with the agent, children and all", async () => {
    const { probe } = await fake("sleep 600 & wait");
    const stop = new AbortController();
    const pending = probe.look(stop.signal);
    setTimeout(() => stop.abort(), 100);
    await expect(pending).rejects.toThrow(/abort/i);
  });
});
