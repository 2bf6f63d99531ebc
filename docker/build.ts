// `npm run images`: builds the images of hub and agent for each platform, tagged by release and commit, and saves them as tarballs if asked.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HELP = `Usage: npm run images -- [options]

  --target NAMES       hub,agent                                          both
  --platform NAMES     linux/amd64,linux/arm64                            this machine's
  --registry PREFIX    what the images' names begin with                  registry.invalid/context-edge
  --tag TAG            instead of the release's and the commit's
  --builder IMAGE      Debian with npm 10 or newer                        node:24-bookworm-slim
  --save DIRECTORY     also as tarballs, for nodes without a registry
  --network MODE       network of the build's steps, such as host
  --no-cache           every step again

DOCKER names another program than docker. SOURCE_DATE_EPOCH is the time of all files in the image: the commit's, unless it is set.
`;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOCKER = process.env["DOCKER"] ?? "docker";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "hub,agent" },
    platform: { type: "string", default: `linux/${process.arch === "x64" ? "amd64" : process.arch}` },
    registry: { type: "string", default: "registry.invalid/context-edge" },
    tag: { type: "string" },
    builder: { type: "string" },
    save: { type: "string" },
    network: { type: "string" },
    "no-cache": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function main(): number {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const isDirty = git("status", "--porcelain") !== "";
  const revision = `${git("rev-parse", "HEAD")}${isDirty ? "-dirty" : ""}`;
  const epoch = process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct");
  const created = new Date(Number(epoch) * 1_000).toISOString().replace(".000Z", "Z");

  for (const platform of values.platform.split(",")) {
    const arch = platform.split("/")[1] ?? platform;
    // Whoever sees a release's tag may rely on a commit that says what is in it. Two architectures can share a name only in a registry.
    const released = isDirty ? [] : [version, `${version}-${arch}`];
    const byCommit = [...released, `${version}-${revision.slice(0, 12)}${isDirty ? "-dirty" : ""}`];
    const tags = values.tag === undefined ? byCommit : [values.tag];
    for (const target of values.target.split(",")) {
      const names = tags.map((tag) => `${values.registry}/${target}:${tag}`);
      const build = [
        ["build", "--file", "docker/Dockerfile", "--target", target, "--platform", platform],
        names.flatMap((name) => ["--tag", name]),
        ["--build-arg", `SOURCE_DATE_EPOCH=${epoch}`, "--build-arg", `CREATED=${created}`],
        ["--build-arg", `VERSION=${version}`, "--build-arg", `REVISION=${revision}`],
        values.builder === undefined ? [] : ["--build-arg", `BUILDER=${values.builder}`],
        values.network === undefined ? [] : ["--network", values.network],
        values["no-cache"] ? ["--no-cache"] : [],
        ["."],
      ].flat();
      if (!docker(...build)) return 1;
      process.stdout.write(`${platform} ${names.join(" ")}\n`);
      if (values.save !== undefined && !save(values.save, target, `${version}-${arch}`, names)) return 1;
    }
  }
  return 0;
}

/** Right after the build: the next platform takes the same name. */
function save(directory: string, target: string, version: string, names: readonly string[]): boolean {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `context-edge-${target}-${version}.tar`);
  if (!docker("save", "--output", file, ...names)) return false;
  process.stdout.write(`${file}\n`);
  return true;
}

function docker(...argv: string[]): boolean {
  // Older clients build without BuildKit unless they are told, and then know nothing of platforms.
  const env = { ...process.env, DOCKER_BUILDKIT: "1" };
  const { status, error } = spawnSync(DOCKER, argv, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env });
  if (error) process.stderr.write(`${DOCKER} cannot be started: ${error.message}. Install Docker, or set DOCKER.\n`);
  return status === 0;
}

function git(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync("git", argv, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${argv.join(" ")}: ${stderr}`);
  return stdout.trim();
}

process.exitCode = main();
