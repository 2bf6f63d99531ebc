// A stand-in for the builder's image, made on this machine: a small Debian with this machine's npm and the project's own Node.
import { access, cp, mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { docker, DOCKER, execute } from "./engine.ts";

/** The name that docker/Dockerfile gives it. */
export const BUILDER = "node:24-bookworm-slim";
const NODE = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
/** What a machine behind a proxy of its own trusts besides; the images hold nothing of it. */
const AUTHORITIES = "/usr/local/share/ca-certificates";

/** @returns why it could not be made, or null */
export async function makeBuilder(host: string, directory: string): Promise<string | null> {
  if ((await docker(host, "image", "inspect", BUILDER)).exitCode === 0) return null;
  const rootfs = join(directory, "rootfs");
  const making = `${rootfs}.making`;
  const isThere = await access(rootfs).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await rm(making, { recursive: true, force: true });
    await mkdir(making);
    const include = "--include=ca-certificates,libstdc++6,libatomic1";
    const made = await execute("debootstrap", ["--variant=minbase", include, "bookworm", making]);
    if (made.exitCode !== 0) return `debootstrap failed: ${made.stderr.slice(-500) || made.stdout.slice(-500)}`;
    // A directory of this name is always whole.
    await rename(making, rootfs);
  }
  const npm = (await execute("npm", ["root", "--global"])).stdout.trim();
  await cp(join(npm, "npm"), join(rootfs, "usr/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  await cp(NODE, join(rootfs, "usr/bin/node"), { dereference: true });
  await rm(join(rootfs, "usr/bin/npm"), { force: true });
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(rootfs, "usr/bin/npm"));
  for (const name of await readdir(AUTHORITIES).catch(() => []))
    await cp(join(AUTHORITIES, name), join(rootfs, AUTHORITIES, name));
  await execute("chroot", [rootfs, "update-ca-certificates"]);
  const trust = "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt";
  const pipe = `tar -C "$1" -c . | "$2" import --change "$3" - "$4"`;
  const imported = await execute("sh", ["-c", pipe, "sh", rootfs, DOCKER, trust, BUILDER], { DOCKER_HOST: host });
  return imported.exitCode === 0 ? null : `the builder's image was not imported: ${imported.stderr}`;
}
