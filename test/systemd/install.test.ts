// install.sh on a booted machine: says what it would do, does it once, survives being killed anywhere, and takes everything away again.
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { boot, type Machine, makeDisk, put } from "./machine.ts";
import { nextRelease, unpack } from "./release.ts";

const AGENT = "context-edge-agent.service";
const FIRST =
  "--hub http://127.0.0.1:9 --hub-key /root/hub.pub.pem --release-key /root/hub.pub.pem --join-token /root/token";
/** What a run counts as a change of the machine, and may be killed before. */
const CHANGING = ["mv", "ln", "mkdir", "chown", "rm", "cp", "systemctl", "systemd-sysusers", "systemd-tmpfiles"];
const STRIDE = process.env["KILL_POINTS"] === "all" ? 1 : 6;
/** In the place of each of them: the n-th kills the whole run, as a power cut would. */
const KILLER = `#!/bin/sh
count=$(($(cat /root/count) + 1))
echo "$count" > /root/count
[ "$count" != "$(cat /root/kill-at)" ] || kill -KILL 0
exec "/usr/bin/$(basename "$0")" "$@"
`;
/** Everything of the machine but what it writes itself, and what this test brings. */
const FILES = String.raw`find / -xdev \( -path /proc -o -path /var/log -o -path /root -o -path /opt/context-edge/models -o -path /tmp -o -path /var/tmp \
  -o -path /opt/context-edge/app \) -prune -o ! -name '*.sha256' ! -name started-with ! -name 'passwd-' ! -name 'group-' ! -name '*shadow-' \
  ! -name random-seed -printf '%p %M %u:%g %l\n' | sort`;

let machine: Machine;
let disk: string;
let real: string;
let small: string;
const sh = (script: string) => machine.run("sh", "-c", script);
const install = (words = "", from = small) => sh(`${from}/install.sh ${words}`);
const files = async () => (await sh(FILES)).stdout;
const show = async (property: string, unit = AGENT) =>
  (await machine.run("systemctl", "show", "-P", property, unit)).stdout.trim();

/** The same agent with a Node that lies elsewhere, so that a run copies and hashes megabytes and not hundreds. */
function shrink(directory: string): void {
  const node = join(directory, "bin/node");
  rmSync(node);
  writeFileSync(node, '#!/bin/sh\nexec /opt/context-edge/app/node_modules/.bin/node "$@"\n');
  chmodSync(node, 0o755);
}

describe.skipIf(inject("obstacle") !== "")("install.sh", () => {
  beforeAll(async () => {
    disk = await makeDisk();
    machine = await boot(disk);
    real = unpack(machine, inject("archive"), "/root");
    small = nextRelease(machine, real, "0.1.0-small", shrink);
    await sh(`cd /root; openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out hub.pub.pem
echo token-of-a-test > token; printf 2468 > pin; mkdir killer`);
    for (const name of CHANGING) await put(machine, `/root/killer/${name}`, KILLER, 0o755);
  });
  afterAll(async () => {
    await machine?.halt();
    if (disk) rmSync(disk, { recursive: true, force: true });
  });
  beforeEach(async () => void (await install("--uninstall --purge")));

  test("what is missing, wrong or unfit is said with what to do, and changes nothing", async () => {
    const before = await files();
    const refusals: [string, number, RegExp][] = [
      ["", 2, /also needs --hub --hub-key --release-key --join-token/],
      ["--hub", 2, /--hub needs a value/],
      ["--frobnicate", 2, /no option --frobnicate/],
      [FIRST.replace("/root/token", "/root/nothing"), 2, /\/root\/nothing is no file/],
      [FIRST.replace("--hub-key /root/hub.pub.pem", "--hub-key /root/token"), 1, /no usable Ed25519 public key/],
      [FIRST.replace("http://127.0.0.1:9", "hub.example"), 1, /AGENT_HUB_URL/],
      [`${FIRST} --device 'a"b'`, 1, /without quotes/],
      [`${FIRST} --unit ../../etc/passwd`, 2, /--unit/],
      ["--rollback", 1, /no release before/],
      ["--purge", 2, /--purge goes with --uninstall/],
    ];
    for (const [words, exitCode, said] of refusals) {
      expect(await install(words), words).toMatchObject({ exitCode, stderr: expect.stringMatching(said) });
    }
    const damaged = nextRelease(machine, small, "damaged");
    await sh(`echo x >> ${damaged}/agent/agent.mjs`);
    expect(await install(FIRST, damaged)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("damaged") });
    await sh(`mkdir -p /opt/context-edge/models; mount -t tmpfs tmpfs /opt/context-edge/models`);
    expect(await install(FIRST)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("lies on tmpfs") });
    await sh("umount /opt/context-edge/models; rmdir /opt/context-edge/models");
    expect(await files()).toBe(before);
  });

  test("models of somebody else are not taken over", async () => {
    await sh(
      "mkdir -p /opt/context-edge/models; echo x > /opt/context-edge/models/model-v1.trt; chown -R 4711 /opt/context-edge/models",
    );
    expect(await install(FIRST)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("chown -R") });
    expect((await sh("stat -c %u /opt/context-edge/models")).stdout).toBe("4711\n");
    await sh("chown -R context-edge: /opt/context-edge/models");
    expect(await install(FIRST)).toMatchObject({ exitCode: 0 });
  });

  test("--dry-run says what would be done and does nothing; done once, the second run has nothing to do", async () => {
    const before = await files();
    const dry = await install(`--dry-run ${FIRST}`, real);
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/would {4}.*agent\.env\n/) });
    expect(await files()).toBe(before);
    const done = await install(FIRST, real);
    expect(done.exitCode, done.stderr).toBe(0);
    const saidOf = (said: string, word: string) =>
      said.split("\n").flatMap((line) => (line.startsWith(`  ${word}`) ? [line.slice(10).trim()] : []));
    expect(saidOf(done.stdout, "done")).toEqual(saidOf(dry.stdout, "would"));
    const [installed, invocation] = [await files(), await show("InvocationID")];
    for (const words of [FIRST, ""]) {
      expect(await install(words, real)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("Nothing to do"),
      });
    }
    expect(await files()).toBe(installed);
    expect(await show("InvocationID")).toBe(invocation);
  });

  test("killed anywhere, the next run completes it; killed anywhere while it removes, the next one completes that", async () => {
    const before = await files();
    await install(FIRST);
    const installed = await files();
    const killedAt = async (at: number, words: string) => {
      await sh(`echo 0 > /root/count; echo ${at} > /root/kill-at`);
      return (await sh(`setsid -w env PATH=/root/killer:$PATH ${small}/install.sh ${words}`)).exitCode !== 0;
    };
    let runs = 0;
    // Every sixth point, or all of them: each round is an installation and a removal, both from where the killed one left off.
    for (let at = 1, isKilled = true; isKilled; at += STRIDE) {
      await install("--uninstall --purge");
      isKilled = await killedAt(at, FIRST);
      expect(await install(FIRST), `killed at ${at}`).toMatchObject({ exitCode: 0 });
      expect(await files(), `killed at ${at}`).toBe(installed);
      expect(await show("ActiveState"), `killed at ${at}`).toBe("active");
      runs += 1;
    }
    expect(runs).toBeGreaterThan(5);
    for (let at = 1, isKilled = true; isKilled; at += STRIDE) {
      await install(FIRST);
      isKilled = await killedAt(at, "--uninstall --purge");
      await install("--uninstall --purge");
      expect(await files(), `removal killed at ${at}`).toBe(before);
    }
  }, 600_000);

  test("a changed setting is changed alone; what a person wrote stays, and outlasts an ordinary removal", async () => {
    await install(FIRST);
    await sh("echo AGENT_MAX_DOWNLOAD_RATE=2MB >> /etc/context-edge/agent.env; systemctl restart context-edge-agent");
    const changed = await install("--tensorrt 10.3.0 --pin /root/pin");
    expect(changed.stdout).toContain("agent.env (replaced)");
    const settings = readFileSync(machine.path("/etc/context-edge/agent.env"), "utf8");
    expect(settings).toMatch(/^AGENT_MAX_DOWNLOAD_RATE=2MB$/m);
    expect(settings).toMatch(/^AGENT_TENSORRT=10\.3\.0$/m);
    // Secrets are root's; the agent has them by systemd's hand.
    expect((await sh("stat -c '%a %U' /etc/context-edge/agent/pin /etc/context-edge/agent/join-token")).stdout).toBe(
      "600 root\n600 root\n",
    );
    expect((await sh("context-edge-agent status --json")).stdout).toContain('"can_act": true');
    expect((await install("--uninstall")).stdout).toContain("changed by hand");
    expect(readFileSync(machine.path("/etc/context-edge/agent.env"), "utf8")).toBe(settings);
    expect((await sh("ls /opt/context-edge/models/.agent")).stdout).not.toBe("");
  });

  test("on a systemd without credentials the secrets are files of the agent's group", async () => {
    await put(
      machine,
      "/root/old/systemctl",
      '#!/bin/sh\n[ "$1" != --version ] || { echo "systemd 245 (245.4)"; exit; }\nexec /usr/bin/systemctl "$@"\n',
      0o755,
    );
    const installed = await sh(`PATH=/root/old:$PATH ${small}/install.sh ${FIRST} --pin /root/pin`);
    expect(installed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("secrets as files") });
    expect((await sh("stat -c '%a %U:%G' /etc/context-edge/agent/join-token")).stdout).toBe("640 root:context-edge\n");
    const settings = readFileSync(machine.path("/etc/context-edge/agent.env"), "utf8");
    expect(settings).toContain("AGENT_JOIN_TOKEN_FILE=/etc/context-edge/agent/join-token\n");
    expect((await sh("context-edge-agent status --json")).stdout).toContain('"can_act": true');
  });

  test("a release that does not start gives its place back to the one before it, by itself", async () => {
    await install(FIRST);
    const broken = nextRelease(machine, small, "0.2.0-broken", (directory) =>
      writeFileSync(
        join(directory, "agent/agent.mjs"),
        'if (process.argv[2] === "run") { console.error("<3>broken by a test"); process.exit(1); }\n',
      ),
    );
    const result = await install("", broken);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("0.1.0-small runs again") });
    expect(result.stderr).toContain("broken by a test");
    expect((await sh("readlink /opt/context-edge/agent/current")).stdout).toBe("versions/0.1.0-small\n");
    await eventually("the old one runs", async () => (await show("ActiveState")) === "active", 30_000);
  });

  test("on a K3s node only the restart units come, with the unit's name, and go again", async () => {
    const before = await files();
    await put(machine, "/etc/systemd/system/mine.service", "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n");
    await sh("systemctl daemon-reload");
    const result = await sh("/opt/context-edge/app/systemd/install.sh --restart-only --unit mine.service");
    expect(result.exitCode, result.stderr).toBe(0);
    await sh("echo an-id > /opt/context-edge/requests/restart");
    const answer = () => sh("cat /opt/context-edge/requests/result");
    await eventually("it is answered", async () => (await answer()).stdout === "an-id ok\n", 30_000);
    expect(await show("ActiveState", "mine.service")).toBe("active");
    await sh("systemctl stop mine.service; rm /etc/systemd/system/mine.service");
    await sh("/opt/context-edge/app/systemd/install.sh --uninstall");
    expect(await files()).toBe(before);
  });
});
