// `npm run k3s`: renders every overlay with kubectl into test/k3s/rendered, which the tests read. To be run after a change under k3s/.
import { writeFileSync } from "node:fs";
import { DIGEST_FILE, digestOfSources, kubectlVersion, render, renderedFile, SOURCES } from "./rendering.ts";

if (kubectlVersion() === null) {
  process.stderr.write("There is no kubectl here: install one from 1.27 on, or name it in KUBECTL.\n");
  process.exitCode = 1;
} else {
  for (const name of Object.keys(SOURCES)) writeFileSync(renderedFile(name), render(name));
  writeFileSync(DIGEST_FILE, digestOfSources());
}
