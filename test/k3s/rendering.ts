// What kubectl makes of the overlays, kept in rendered/ so that it can be read, reviewed and tested where no kubectl is.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RENDERED = fileURLToPath(new URL("rendered/", import.meta.url));
const VARIANTS = "test/k3s/variants";
/** Every overlay, and each with the components that it leaves out. */
export const SOURCES: Record<string, string> = {
  "single-node": "k3s/overlays/single-node",
  ha: "k3s/overlays/ha",
  edge: "k3s/overlays/edge",
  "ha-with-stores": `${VARIANTS}/ha-with-stores`,
  "edge-with-pods": `${VARIANTS}/edge-with-pods`,
};

/** As much of any object as all of them have. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

export const renderedFile = (name: string) => join(RENDERED, `${name}.yaml`);
export const DIGEST_FILE = join(RENDERED, "SOURCES.sha256");

/** @returns null where no kubectl is; KUBECTL names another one */
export function kubectlVersion(): string | null {
  const { status, stdout } = kubectl("version", "--client");
  return status === 0 ? stdout.trim() : null;
}

/** @throws Error with kubectl's words */
export function render(name: string): string {
  const { status, stdout, stderr } = kubectl("kustomize", SOURCES[name] ?? name);
  if (status !== 0) throw new Error(`kubectl kustomize ${name}: ${stderr}`);
  return stdout;
}

function kubectl(...argv: string[]) {
  return spawnSync(process.env["KUBECTL"] ?? "kubectl", argv, { cwd: ROOT, encoding: "utf8" });
}

export const readRendered = (name: string) => parse(readFileSync(renderedFile(name), "utf8"));
/** What is applied by itself: jobs, and what lies in K3s's own directories. */
export const readAsWritten = (file: string) => parse(readFileSync(join(ROOT, file), "utf8"));

/** By YAML 1.1, as Kubernetes reads it: 0440 is octal. */
export function parse(text: string): KubernetesObject[] {
  return parseAllDocuments(text, { version: "1.1" }).map((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.map(String).join("\n"));
    return document.toJS() as KubernetesObject;
  });
}

/** Of all that rendering reads: who changes it without rendering again is told, also where no kubectl is. */
export function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const directory of ["k3s/base", "k3s/components", "k3s/overlays", VARIANTS]) {
    const files = readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
      .sort();
    for (const file of files)
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(ROOT, file)))
        .update("\0");
  }
  return `${hash.digest("hex")}\n`;
}
