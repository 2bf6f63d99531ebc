// `npm run test:training`: the training command against real hubs, a real PostgreSQL and S3; needs a Python that pip can install into.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  // A run loads PyTorch and exports a model: seconds on a quiet machine, and more beside others.
  test: { include: ["test/training/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 900_000, fileParallelism: false },
});
