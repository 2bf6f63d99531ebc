// Run inside the machine: one reload by one of the systemd reloaders, its result as a line of JSON.
import { dbusReloader } from "@context-edge/agent/effects/reloaders/dbus.ts";
import type { Reloader } from "@context-edge/agent/effects/reloaders/reloader.ts";
import { systemdPathReloader } from "@context-edge/agent/effects/reloaders/systemd-path.ts";

const [kind = "", where = "", budgetMs = "20000"] = process.argv.slice(2);
const KINDS: Record<string, () => Reloader> = {
  dbus: () => dbusReloader(where),
  "systemd-path": () => systemdPathReloader(where),
};
const reloader = KINDS[kind]?.();
if (!reloader) throw new Error(`no reloader is called ${kind}`);
const file = { file: "model-v1.trt", version: "v1", digest: "a".repeat(64) };
const link = "/opt/context-edge/models/current.trt";
const signal = new AbortController().signal;
const result = await reloader.reload({ model: "default", file, link, budgetMs: Number(budgetMs) }, signal);
process.stdout.write(`${JSON.stringify(result)}\n`);
