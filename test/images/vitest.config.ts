// `npm run test:images`: the images, built and run by a Docker of the test's own; needs root and Debian's docker.io and debootstrap.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/images/**/*.test.ts"],
    globalSetup: fileURLToPath(new URL("build-images.ts", import.meta.url)),
    testTimeout: 120_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
