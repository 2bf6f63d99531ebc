// `vitest run --config test/systemd/vitest.config.ts`: the units and the systemd reloaders on a systemd that really booted; needs root.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/systemd/**/*.test.ts"],
    globalSetup: fileURLToPath(new URL("setup.ts", import.meta.url)),
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
