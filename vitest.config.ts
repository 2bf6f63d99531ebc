// `npm test`: every room's tests and the journeys where hub and agent meet; the browser has a run of its own.
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{protocol,agent,hub,cli,dashboard,demo,test}/**/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      "**/.tsc/**",
      "**/dist/**",
      "test/browser/**",
      "test/faults/**",
      "test/systemd/**",
      "test/images/**",
      "test/training/**",
    ],
    // Hundreds of processes are started: what Node has compiled for one, the next finds ready.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled") },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Real processes, sockets and disks: on two cores more would only make each other late.
    maxWorkers: 2,
  },
});
