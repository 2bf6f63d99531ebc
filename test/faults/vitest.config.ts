// `npm run test:faults`: a short sweep of kills at system calls; slow, so it is not part of `npm test`.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: { include: ["test/faults/**/*.test.ts"], testTimeout: 600_000, hookTimeout: 60_000, fileParallelism: false },
});
