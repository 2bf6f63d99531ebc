// Builds the dashboard into dist/, which the hub serves; `npm run build` from the repository's root.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { compression } from "vite-plugin-compression2";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  logLevel: "warn",
  // Once here instead of at every request: the hub has better things to do.
  plugins: [compression({ algorithms: ["gzip", "brotliCompress"], include: /\.(js|css|svg)$/, logLevel: "silent" })],
  build: { outDir: "dist", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
});
