// Packs the agent for devices without a network: `npm run pack:jetson` writes one archive with agent, Node, units and install.sh.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const USAGE = `npm run pack:jetson -- [--platform linux-arm64|linux-x64] [--node FILE.tgz] [--out DIRECTORY]

  --platform   what it shall run on; linux-arm64
  --node       npm's archive of Node for that platform, when the registry cannot be reached; checked like a downloaded one
  --out        where the archive goes; dist/

The same commit gives the same bytes, with the same GNU tar and gzip.`;
/** What somebody at a device without a network wants to read. */
const DOCS = ["install-jetson.md", "upgrade.md", "agent.md"];
const EXECUTABLE = new Set(["install.sh", "node", "context-edge-agent", "restart-inference"]);

interface Made {
  version: string;
  /** Of the commit, `-dirty` where the tree is not the commit's. */
  commit: string;
  /** Seconds since the epoch. */
  at: number;
}

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      platform: { type: "string", default: "linux-arm64" },
      node: { type: "string" },
      out: { type: "string", default: join(ROOT, "dist") },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return console.log(USAGE);
  const { platform, out } = values;
  if (!/^linux-(arm64|x64)$/.test(platform)) throw new Error(`there is no platform ${platform}\n\n${USAGE}`);
  const made = whatIsMade();
  const work = mkdtempSync(join(tmpdir(), "context-edge-pack-"));
  try {
    const name = `context-edge-agent-${made.version}-${platform}`;
    stage(join(work, name), platform, made, values.node, work);
    mkdirSync(out, { recursive: true });
    const archive = resolve(out, `${name}.tar.gz`);
    writeArchive(work, name, made.at, archive);
    console.log(`${await sha256(archive)}  ${archive}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function stage(to: string, platform: string, made: Made, nodeArchive: string | undefined, work: string): void {
  execFileSync("npm", ["run", "--silent", "bundle:agent"], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  cpSync(join(ROOT, "agent/dist"), join(to, "agent"), { recursive: true });
  cpSync(join(ROOT, "systemd"), join(to, "systemd"), {
    recursive: true,
    filter: (file) => !/hub|backup/.test(basename(file)),
  });
  // Beside the archive's own table of contents, where whoever unpacks it looks first.
  cpSync(join(to, "systemd/install.sh"), join(to, "install.sh"));
  rmSync(join(to, "systemd/install.sh"));
  for (const page of DOCS) cpSync(join(ROOT, "docs", page), join(to, "docs", page));
  cpSync(join(ROOT, "LICENSE"), join(to, "LICENSE"));
  const node = nodePackage(platform, nodeArchive, work);
  cpSync(join(node.directory, "bin/node"), join(to, "bin/node"));
  cpSync(join(node.directory, "LICENSE"), join(to, "bin/node.LICENSE"));
  const words = { ...made, id: `${made.version}-${made.commit}`, platform, node: node.version };
  writeFileSync(
    join(to, "VERSION"),
    `${Object.entries(words)
      .map((pair) => pair.join(" "))
      .join("\n")}\n`,
  );
  const files = filesIn(to);
  // Whoever packs may have any umask.
  for (const file of files) chmodSync(file, EXECUTABLE.has(basename(file)) ? 0o755 : 0o644);
  const sums = files.map((file) => `${sha256Of(file)}  ${relative(to, file)}\n`);
  writeFileSync(join(to, "SHA256SUMS"), sums.join(""), { mode: 0o644 });
}

function writeArchive(work: string, name: string, at: number, archive: string): void {
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  const same = ["--sort=name", `--mtime=@${at}`, "--format=gnu", "--mode=u+rwX,go=rX", ...owner];
  const tar = join(work, "archive.tar");
  execFileSync("tar", [...same, "-C", work, "-cf", tar, name]);
  // Without name and time of the file within.
  execFileSync("gzip", ["-n", tar]);
  cpSync(`${tar}.gz`, archive);
}

function whatIsMade(): Made {
  const { version } = JSON.parse(readFileSync(join(ROOT, "agent/package.json"), "utf8")) as { version: string };
  const git = (...words: string[]) => execFileSync("git", words, { cwd: ROOT, encoding: "utf8" }).trim();
  const isClean = git("status", "--porcelain") === "";
  const commit = git("rev-parse", "--short=12", "HEAD") + (isClean ? "" : "-dirty");
  return { version, commit, at: Number(process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct")) };
}

/** Node as npm has it, checked against the lockfile: what was installed here, else what is given, else from the registry. */
function nodePackage(platform: string, given: string | undefined, work: string) {
  const name = `node-${platform}`;
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (!locked) throw new Error(`the lockfile has no ${name}`);
  const installed = join(ROOT, "node_modules", name);
  if (given === undefined && existsSync(join(installed, "bin/node")))
    return { directory: installed, version: locked.version };
  const archive = given ?? fromRegistry(`${name}@${locked.version}`, work);
  const [algorithm = "sha512", expected] = locked.integrity.split("-", 2);
  const actual = createHash(algorithm).update(readFileSync(archive)).digest("base64");
  if (actual !== expected) throw new Error(`${archive} is not the ${name} ${locked.version} of the lockfile`);
  const directory = join(work, "node");
  mkdirSync(directory);
  execFileSync("tar", [
    "-xzf",
    archive,
    "-C",
    directory,
    "--strip-components=1",
    "package/bin/node",
    "package/LICENSE",
  ]);
  return { directory, version: locked.version };
}

function fromRegistry(wanted: string, work: string): string {
  const words = ["pack", wanted, "--pack-destination", work, "--prefer-offline", "--silent"];
  return join(work, execFileSync("npm", words, { cwd: ROOT, encoding: "utf8" }).trim());
}

function filesIn(directory: string): string[] {
  const found = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  return found.filter((file) => statSync(file).isFile()).sort();
}

const sha256Of = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

await main(process.argv.slice(2));
