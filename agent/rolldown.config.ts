// The agent as a few files without node_modules, for its image and for devices: `npm run bundle:agent` writes agent/dist.
import { defineConfig } from "rolldown";

export default defineConfig({
  input: { agent: "main.ts" },
  platform: "node",
  logLevel: "warn",
  output: {
    dir: "dist",
    format: "esm",
    // Every function is parsed once at the start of a process that runs for months: smaller is faster and lighter.
    minify: true,
    entryFileNames: "agent.mjs",
    chunkFileNames: "[name].mjs",
    cleanDir: true,
  },
});
