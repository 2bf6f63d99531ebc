// The project as npm sees it when nothing is to be developed: node without-development.ts FROM TO. Manifests and lockfile alone, in place if both are the same.
// `npm --omit=dev` keeps a package that one workspace develops with and another one runs with, for both; so npm is shown no development at all.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  devDependencies?: object;
  /** Of a lockfile. */
  packages?: Record<string, Manifest>;
}

const [from = ".", to = from] = process.argv.slice(2);
for (const file of [
  "package-lock.json",
  "package.json",
  ...readdirSync(from).map((room) => join(room, "package.json")),
]) {
  if (!existsSync(join(from, file))) continue;
  const read = JSON.parse(readFileSync(join(from, file), "utf8")) as Manifest;
  delete read.devDependencies;
  for (const [path, entry] of Object.entries(read.packages ?? {}))
    if (!path.includes("node_modules/")) delete entry.devDependencies;
  mkdirSync(dirname(join(to, file)), { recursive: true });
  writeFileSync(join(to, file), JSON.stringify(read));
}
