// The probe that runs a program: real programs that say yes, no, nothing, nonsense, or never come to an end.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { tempDir } from "../../testing/temp-dir.ts";
import { eventually } from "../../testing/test-device.ts";
import { commandProbe } from "./command.ts";

const never = new AbortController().signal;
const policy = ProbePolicy.parse({ warmup_ms: 0, window_ms: 1, samples: 7, warmup_requests: 3 });
const probing = { policy, golden: null };
const saying = (script: string, lookDeadlineMs = 20_000) =>
  commandProbe({ argv: ["sh", "-c", script], link: "/models/current.trt", lookDeadlineMs });

test.each<[string, string, object]>([
  ["ends well and says nothing", "exit 0", { ready: true, digest: null, detail: "" }],
  ["ends badly", "echo no engine >&2; exit 3", { ready: false, detail: "no engine" }],
  [
    "says no in JSON although it ends well",
    `echo '{"healthy": false, "message": "cold"}'`,
    { ready: false, detail: "cold" },
  ],
  ["names the file that is served", `echo chatter; echo '{"digest": "abc"}'`, { ready: true, digest: "abc" }],
  ["says nonsense", "echo '{'", { ready: true, digest: null }],
])("a program that %s", async (_, script, expected) => {
  expect(await saying(script).look(never)).toMatchObject(expected);
});

test("its figures are the measurement", async () => {
  const figures = { samples: 100, errors: 1, mean_ms: 4, p50_ms: 4, p95_ms: 6.5, max_ms: 9 };
  expect(await saying(`echo '${JSON.stringify(figures)}'`).measure(probing, never)).toMatchObject(figures);
});

test.each<[string, string, object | null]>([
  ["no figures", "exit 0", null],
  ["more errors than samples", `echo '{"samples": 1, "errors": 2}'`, null],
  ["a time below zero", `echo '{"samples": 9, "p95_ms": -1}'`, null],
  ["a failure", "exit 1", { samples: 1, errors: 1, p95_ms: null }],
])("%s: no measurement is made up", async (_, script, expected) => {
  const measurement = await saying(script).measure(probing, never);
  if (expected === null) expect(measurement).toBeNull();
  else expect(measurement).toMatchObject(expected);
});

test("it is told what to do, and no shell of ours reads its words", async () => {
  const said = join(await tempDir(), "said");
  const names = ["PROBE", "LINK", "SAMPLES", "WARMUP_REQUESTS", "PACE_MS"].map((name) => `$CONTEXT_EDGE_${name}`);
  const argv = ["sh", "-c", `echo "${names.join(" ")} $1" > "$2"`, "sh", "$(touch /tmp/never) ; '", said];
  await commandProbe({ argv, link: "/models/current.trt" }).measure(probing, never);
  expect(await readFile(said, "utf8")).toBe("measure /models/current.trt 7 3 20 $(touch /tmp/never) ; '\n");
});

test("fault 43: a program that never ends is ended in time, with everything it started", async () => {
  const pidFile = join(await tempDir(), "pid");
  const probe = saying(`sleep 600 & echo $! > ${pidFile}; wait`, 300);
  expect(await probe.look(never)).toMatchObject({ ready: false, detail: expect.stringContaining("did not end") });
  const pid = Number(await readFile(pidFile, "utf8"));
  await eventually("the child's child is gone", async () => {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    return state === null || / [ZX] /.test(state);
  });
  expect(await saying("sleep 600", 100).isAnswering(probing, never)).toBe(false);
});
