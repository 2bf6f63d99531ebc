// The manifests as kubectl renders them: up to date, and nothing in them that the Kubernetes API would not take.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  DIGEST_FILE,
  digestOfSources,
  kubectlVersion,
  parse,
  readAsWritten,
  readRendered,
  render,
  SOURCES,
} from "./rendering.ts";
import { wrongWith } from "./schema.ts";

const NAMES = Object.keys(SOURCES);
const kubectl = kubectlVersion();
if (kubectl === null) process.stderr.write("SKIPPED: rendering the overlays again: there is no kubectl here.\n");

test("what is rendered is rendered from what is there: after a change under k3s/, `npm run k3s`", () => {
  expect(readFileSync(DIGEST_FILE, "utf8")).toBe(digestOfSources());
});

test.skipIf(kubectl === null).each(NAMES)("%s: kubectl here renders the very same", (name) => {
  expect(parse(render(name))).toEqual(readRendered(name));
});

test.each(NAMES)("%s: every object is what the Kubernetes API takes", (name) => {
  const objects = readRendered(name);
  expect(objects.length).toBeGreaterThan(4);
  expect(objects.flatMap(wrongWith)).toEqual([]);
});

test("the job that restores a backup is what the Kubernetes API takes", () => {
  expect(readAsWritten("k3s/jobs/restore.yaml").flatMap(wrongWith)).toEqual([]);
});

describe("the check itself", () => {
  const good = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a" },
    spec: {
      selector: {},
      template: { spec: { containers: [{ name: "a", image: "a:1", ports: [{ containerPort: 1 }] }] } },
    },
  };
  test("finds nothing wrong with what is right", () => {
    expect(wrongWith(good)).toEqual([]);
  });
  test.each([
    [
      "a misspelled field",
      (text: string) => text.replace("containerPort: 1", "containerPort: 1\n              hostPrt: 1"),
      "hostPrt",
    ],
    ["a wrong type", (text: string) => text.replace("containerPort: 1", "containerPort: one"), "containerPort"],
    ["what is missing", (text: string) => text.replace(/ {2}selector: \{\}\n/, ""), "selector"],
    ["a kind that nobody knows", (text: string) => text.replace("kind: Deployment", "kind: Deploymnet"), "Deploymnet"],
  ])("finds %s", async (_what, spoil, named) => {
    const { stringify } = await import("yaml");
    const [spoilt] = parse(spoil(stringify(good)));
    const wrong = spoilt ? wrongWith(spoilt) : [];
    expect(wrong.length).toBeGreaterThan(0);
    expect(wrong.join("\n")).toContain(named);
  });
});
