// Reloaders against real programs, real files and a real server.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loopbackServer } from "../../testing/loopback-server.ts";
import { tempDir } from "../../testing/temp-dir.ts";
import { eventually } from "../../testing/test-device.ts";
import { http } from "../http.ts";
import { commandReloader } from "./command.ts";
import { systemdPathReloader } from "./systemd-path.ts";
import { tritonReloader } from "./triton.ts";

const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const reloading = { model: "default", file, link: "/models/current.trt", budgetMs: 3_000 };
const signal = new AbortController().signal;
const node = (script: string) => [process.execPath, "-e", script];

test("a command gets what it is about in its environment, untouched by any shell", async () => {
  const said = join(await tempDir(), "said");
  const script = `require("fs").writeFileSync(${JSON.stringify(said)}, [process.env.CONTEXT_EDGE_VERSION, process.env.CONTEXT_EDGE_LINK].join())`;
  expect(await commandReloader(node(script)).reload(reloading, signal)).toEqual({ ok: true });
  expect(await readFile(said, "utf8")).toBe("v2.1,/models/current.trt");
});

test.each([
  ["fails", node("console.error('no engine'); process.exit(3)"), 3_000, "ended with 3"],
  ["hangs", node("setInterval(() => {}, 1000)"), 300, "not finished in time"],
  ["does not exist", ["/no/such/program"], 3_000, "could not be started"],
])("a command that %s is a failed reload", async (_what, argv, budgetMs, words) => {
  const result = await commandReloader(argv).reload({ ...reloading, budgetMs }, signal);
  expect(result).toMatchObject({ ok: false, mishap: { code: "RELOAD_FAILED" } });
  expect(result.ok ? "" : result.mishap.message).toContain(words);
});

test.each([
  ["ok", true],
  ["failed unit is masked", false],
])(
  "the host's answer '%s' to the request file is understood, an older answer is not taken for it",
  async (verdict, ok) => {
    const dir = await tempDir();
    await writeFile(join(dir, "result"), "an-older-id ok\n");
    const pending = systemdPathReloader(dir).reload(reloading, signal);
    let id = "";
    await eventually(
      "the request is written",
      async () => (id = await readFile(join(dir, "restart"), "utf8").catch(() => "")) !== "",
    );
    await rm(join(dir, "restart"));
    await writeFile(join(dir, "result"), `${id.trim()} ${verdict}\n`);
    expect((await pending).ok).toBe(ok);
  },
);

test("a host that never answers is a failed reload, and the request is withdrawn", async () => {
  const dir = await tempDir();
  const result = await systemdPathReloader(dir).reload({ ...reloading, budgetMs: 300 }, signal);
  expect(result).toMatchObject({ ok: false, mishap: { code: "RELOAD_FAILED" } });
  await expect(readFile(join(dir, "restart"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("Triton is told to unload, then to load once the old model is gone", async () => {
  const asked: string[] = [];
  let looks = 0;
  const url = await loopbackServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isGone = request.method === "GET" && (looks += 1) > 2;
    response.writeHead(isGone ? 400 : 200).end();
  });
  expect(await tritonReloader(http({}), url, "default").reload(reloading, signal)).toEqual({ ok: true });
  expect(asked[0]).toBe("POST /v2/repository/models/default/unload");
  expect(asked.slice(-2)).toEqual(["POST /v2/repository/models/default/load", "POST /v2/repository/index"]);
  expect(looks).toBe(3);
});
