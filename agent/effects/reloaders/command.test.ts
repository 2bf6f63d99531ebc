// The command reloader with real programs.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../../testing/temp-dir.ts";
import { commandReloader } from "./command.ts";

const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const reloading = { model: "default", file, link: "/models/current.trt", budgetMs: 10_000 };
const signal = new AbortController().signal;
const node = (script: string) => [process.execPath, "-e", script];

test("a command gets what it is about in its environment, untouched by any shell", async () => {
  const said = join(await tempDir(), "said");
  const script = `require("fs").writeFileSync(${JSON.stringify(said)}, [process.env.CONTEXT_EDGE_VERSION, process.env.CONTEXT_EDGE_LINK].join())`;
  expect(await commandReloader(node(script)).reload(reloading, signal)).toEqual({ ok: true });
  expect(await readFile(said, "utf8")).toBe("v2.1,/models/current.trt");
});

test.each([
  ["fails", node("console.error('no engine'); process.exit(3)"), 10_000, "ended with 3"],
  ["hangs", node("setInterval(() => {}, 1000)"), 300, "not finished in time"],
  ["does not exist", ["/no/such/program"], 10_000, "could not be started"],
])("a command that %s is a failed reload", async (_what, argv, budgetMs, words) => {
  const result = await commandReloader(argv).reload({ ...reloading, budgetMs }, signal);
  expect(result).toMatchObject({ ok: false, mishap: { code: "RELOAD_FAILED" } });
  expect(result.ok ? "" : result.mishap.message).toContain(words);
});

test("what TensorRT said to a command is told in words", async () => {
  const says = node("console.error('expecting library version 8.6.1.6 got 8.6.1.2, please rebuild.'); process.exit(1)");
  const whole = "The engine plan file is not compatible with this version of TensorRT, expecting library version";
  const result = await commandReloader([
    ...says.slice(0, 2),
    says[2]?.replace("expecting library version", whole) ?? "",
  ]).reload(reloading, signal);
  expect(result).toMatchObject({ mishap: { code: "ENGINE_VERSION_MISMATCH" } });
});
