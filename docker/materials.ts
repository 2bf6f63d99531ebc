// An image's bill of materials and its licences: node materials.ts WORKSPACE ARCHITECTURE OUT. Runs in the build.
// What npm says of its packages, made the same on every run, with Node and Debian's libraries beside it; SPDX 2.3.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Package {
  name: string;
  SPDXID: string;
  versionInfo: string;
  packageFileName?: string;
  downloadLocation: string;
  filesAnalyzed: boolean;
  licenseDeclared?: string;
  externalRefs?: readonly object[];
}
interface Relationship {
  spdxElementId: string;
  relatedSpdxElement: string;
  relationshipType: string;
}
interface Manifest {
  optionalDependencies?: Record<string, string>;
}
interface Document {
  name: string;
  documentNamespace: string;
  documentDescribes: string[];
  creationInfo: { created: string; creators: string[] };
  packages: Package[];
  relationships: Relationship[];
}

/** Name and version of each Debian package whose files are in the image, one file per name. */
const DEBIAN = "/packages";
const SOURCES = "/src";
const [workspace = "", arch = "", to = ""] = process.argv.slice(2);

const npm = withoutDevelopment();
const runtime = [node(), ...readdirSync(DEBIAN).sort().map(debian)];
const packages = [...npm.packages, ...runtime].sort(bySpdxId);
const own = packages.find(({ name }) => name === workspace);
if (!own) throw new Error(`npm names no package ${workspace}`);
const relationships = [
  ...npm.relationships,
  ...runtime.map(({ SPDXID }) => ({
    spdxElementId: own.SPDXID,
    relatedSpdxElement: SPDXID,
    relationshipType: "DEPENDS_ON",
  })),
];
// npm draws a random namespace and takes the time: here both follow from what is described.
const print = createHash("sha256")
  .update(JSON.stringify([packages, relationships]))
  .digest("hex");
const document: Document = {
  ...npm,
  name: `${workspace}@${own.versionInfo}-${arch}`,
  documentNamespace: `https://context-edge.invalid/spdx/${workspace}/${own.versionInfo}/${arch}/${print}`,
  creationInfo: {
    created: new Date(Number(process.env["SOURCE_DATE_EPOCH"] ?? 0) * 1_000).toISOString().replace(".000Z", "Z"),
    creators: npm.creationInfo.creators,
  },
  packages,
  relationships,
};
writeFileSync(join(to, "context-edge.spdx.json"), `${JSON.stringify(document, null, 1)}\n`);
writeFileSync(join(to, "NOTICES.txt"), packages.flatMap(notice).join("\n"));

/** `npm sbom --omit=dev` would leave out what is needed both at run time and for development. */
function withoutDevelopment(): Document {
  const directory = mkdtempSync(join(tmpdir(), "npm-"));
  execFileSync(process.execPath, [join(SOURCES, "docker/without-development.ts"), SOURCES, directory]);
  const argv = ["sbom", "--sbom-format=spdx", "--package-lock-only", `--workspace=${workspace}`];
  return JSON.parse(execFileSync("npm", argv, { cwd: directory, encoding: "utf8", maxBuffer: 1 << 26 })) as Document;
}

/** Of the whole project, and so of no workspace that npm would list it under. */
function node(): Package {
  const name = `node-linux-${arch === "amd64" ? "x64" : arch}`;
  const { optionalDependencies } = JSON.parse(readFileSync(join(SOURCES, "package.json"), "utf8")) as Manifest;
  const version = optionalDependencies?.[name] ?? "";
  return {
    name,
    SPDXID: `SPDXRef-Package-${name}-${version}`,
    versionInfo: version,
    packageFileName: `node_modules/${name}`,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseDeclared: "MIT",
    externalRefs: [purl(`pkg:npm/${name}@${version}`), purl(`pkg:generic/node@${version}`)],
  };
}

function purl(referenceLocator: string): object {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator };
}

function debian(name: string): Package {
  const version = readFileSync(join(DEBIAN, name), "utf8").trim();
  return {
    name,
    SPDXID: `SPDXRef-Package-debian-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-")}`,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    externalRefs: [purl(`pkg:deb/debian/${name.replaceAll("+", "%2B")}@${encodeURIComponent(version)}?arch=${arch}`)],
  };
}

/** A bundle has lost the comments that carry the licences, and they have to go with it. */
function notice({ name, versionInfo, packageFileName }: Package): string[] {
  const directory = join(SOURCES, packageFileName ?? "");
  if (!packageFileName || !existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => `==== ${name} ${versionInfo}: ${file}\n\n${readFileSync(join(directory, file), "utf8").trim()}\n`);
}

function bySpdxId(one: Package, other: Package): number {
  return one.SPDXID < other.SPDXID ? -1 : 1;
}
