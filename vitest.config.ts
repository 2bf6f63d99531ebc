// `npm test`: every room's tests and the journeys where hub and agent meet; the browser has a run of its own.
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
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Real processes, sockets and disks: on two cores more would only make each other late.
    maxWorkers: 2,
  },
});
