// The commands of docs/install-k3s.md that make keys and secrets, run as they stand: what they make is what the manifests mount.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWorkload } from "./policy.ts";
import { type KubernetesObject, kubectlVersion, parse, readRendered } from "./rendering.ts";
import { wrongWith } from "./schema.ts";

interface Secret extends KubernetesObject {
  data: Record<string, string>;
}

const page = readFileSync(fileURLToPath(new URL("../../docs/install-k3s.md", import.meta.url)), "utf8");
const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) => block);
/** A command may go on in the next line. */
const commandsOf = (block: string) => block.replaceAll("\\\n", " ").split("\n");
const secretCommands = blocks.flatMap(commandsOf).filter((line) => /create secret generic/.test(line));
const kubectl = process.env["KUBECTL"] ?? "kubectl";
const cannot = kubectlVersion() === null;
if (cannot) process.stderr.write("SKIPPED: the secrets of docs/install-k3s.md: there is no kubectl here.\n");

/** Files under /run/secrets/context-edge that a program is told of, and variables that come from secrets. */
function wantedOf(overlay: string): { secret: string; files: string[] }[] {
  return readRendered(overlay)
    .filter(isWorkload)
    .map(({ metadata, spec }) => ({
      secret: metadata.name,
      files: [...JSON.stringify(spec).matchAll(/\/run\/secrets\/context-edge\/([\w.-]+)/g)].map(
        ([, file = ""]) => file,
      ),
    }));
}

describe.skipIf(cannot)("the secrets of docs/install-k3s.md", () => {
  let directory = "";
  let secrets: Secret[] = [];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "context-edge-install-"));
    const keys = blocks.find((block) => block.includes("genpkey")) ?? "exit 1";
    const sh = (script: string) => execFileSync("sh", ["-euc", script], { cwd: directory, encoding: "utf8" });
    sh(keys);
    // The training side's, and the store's own settings, which are on the page as they are.
    writeFileSync(join(directory, "release.pub.pem"), readFileSync(join(directory, "hub.pub.pem")));
    writeFileSync(join(directory, "s3.json"), /^```json\n(.*?)^```/ms.exec(page)?.[1] ?? "");
    secrets = secretCommands.map((command) => {
      const dry = `kubectl() { command "$KUBECTL" "$@" --dry-run=client -o yaml; }\n${command}`;
      return parse(sh(`KUBECTL='${kubectl}'\n${dry}`))[0] as Secret;
    });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const keysOf = (name: string) =>
    Object.keys(secrets.find(({ metadata }) => metadata.name === name)?.data ?? {}).sort();

  test.each(["single-node", "ha", "edge", "ha-with-stores", "edge-with-pods"])(
    "%s finds every file it reads",
    (overlay) => {
      const wanted = wantedOf(overlay);
      expect(wanted.flatMap(({ files }) => files).length).toBeGreaterThan(2);
      for (const { secret, files } of wanted) expect(keysOf(secret), secret).toEqual(expect.arrayContaining(files));
    },
  );

  test("hubs and database find their variables", () => {
    expect(keysOf("context-edge-hub-storage")).toEqual(["DATABASE_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]);
    expect(keysOf("context-edge-postgres")).toEqual(["POSTGRES_PASSWORD"]);
  });

  test("the store's settings are JSON, and every overlay's namespace is the one the secrets go to", () => {
    const settings: unknown = JSON.parse(readFileSync(join(directory, "s3.json"), "utf8"));
    expect(settings).toMatchObject({ identities: [{ credentials: [{ accessKey: "KEY" }] }] });
    const namespaces = secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
    expect(namespaces).toEqual([
      "context-edge-agents/context-edge-agent",
      "context-edge/context-edge-hub",
      "context-edge/context-edge-hub-storage",
      "context-edge/context-edge-object-store",
      "context-edge/context-edge-postgres",
    ]);
    expect(secrets.flatMap(wrongWith)).toEqual([]);
  });
});

test("every file of the repository that the page names is there", () => {
  const named = [...page.matchAll(/(?<![\w/])k3s\/[\w./-]*\w/g)].map(([path]) => path);
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter((path) => !existsSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))));
  expect(missing).toEqual([]);
});
