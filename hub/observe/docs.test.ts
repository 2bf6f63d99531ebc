// docs/monitoring.md speaks of every figure that there is, and of none that there is not.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openTestHub } from "../testing/test-hub.ts";

const FILE = fileURLToPath(new URL("../../docs/monitoring.md", import.meta.url));

test("each figure of the hub is in the table with its labels, and rules name only figures there are", async () => {
  const hub = await openTestHub();
  const text = (await hub.app.inject("/metrics")).body;
  await hub.close();
  const real = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const page = await readFile(FILE, "utf8");
  const spoken = page.replaceAll(
    "`context_edge_devices_online`, `_offline`",
    "`context_edge_devices_online`, `context_edge_devices_offline`",
  );
  const table = spoken
    .split("\n")
    .filter((line) => line.startsWith("| `context_edge_"))
    .join("\n");
  const named = (where: string) =>
    new Set([...where.matchAll(/\b(?:context_edge|nodejs)_[a-z0-9_]+/g)].map(([name]) => name));
  expect(named(table)).toEqual(new Set([...real].filter((name) => name?.startsWith("context_edge_"))));
  expect([...named(spoken)].filter((name) => !real.has(name) && !name.endsWith("_"))).toEqual([]);
});
