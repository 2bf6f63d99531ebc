// The hub as the shipped units run it: it starts in its sandbox, is backed up while it works, is killed, and comes back as it was in the backup.
import { readdir, stat } from "node:fs/promises";
import { eventually } from "@context-edge/agent/testing/test-device.ts";
import { MARKER } from "@context-edge/hub/artifacts/place.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { boot, type Machine, put } from "./machine.ts";

const why = inject("obstacle");

const APP = "/opt/context-edge/app";
const NODE = `${APP}/node_modules/.bin/node`;
const HUB = "context-edge-hub.service";
const BACKUP = "context-edge-backup.service";
const BACKUPS = "/var/backups/context-edge";
const TOKEN = "a-token-of-a-test-that-is-long-enough";
/** As docs/scaling.md has it. */
const SHELL = `unset NODE_EXTRA_CA_CERTS
hub() { runuser -u context-edge -- sh -c 'set -a; . /etc/context-edge/hub.env; cd ${APP}; exec node_modules/.bin/node hub/main.ts "$@"' hub "$@"; }
`;
const ASK = `const [method, path, body] = process.argv.slice(1);
const headers = { authorization: "Bearer ${TOKEN}", "content-type": "application/json" };
fetch("http://127.0.0.1:8000" + path, { method, headers, body })
  .then(async (answer) => { console.log(await answer.text()); process.exit(answer.ok ? 0 : 1); }, () => process.exit(2));`;

let machine: Machine;
const sh = (script: string) => machine.run("sh", "-c", SHELL + script);
const ask = (...words: string[]) => machine.run("env", "-u", "NODE_EXTRA_CA_CERTS", NODE, "-e", ASK, ...words);
const untilItServes = () =>
  eventually("the hub serves", async () => (await ask("GET", "/readyz")).exitCode === 0, 30_000);
const groups = async () => {
  const { items } = JSON.parse((await ask("GET", "/api/v1/groups")).stdout) as { items: { name: string }[] };
  return items.map(({ name }) => name).sort();
};

describe.skipIf(why !== "")("on a booted systemd", () => {
  beforeAll(async () => {
    machine = await boot();
    const made = await sh(`set -e
useradd --system --home-dir /var/lib/context-edge --shell /usr/sbin/nologin context-edge
install -d -m 750 -g context-edge /etc/context-edge
install -d -m 700 -o context-edge -g context-edge ${BACKUPS}
sed -e /RELEASE_KEYS/d -e /HUB_AUTH=/d ${APP}/systemd/hub.env.example > /etc/context-edge/hub.env
cat >> /etc/context-edge/hub.env <<END
HUB_AUTH=token
HUB_API_TOKEN_FILE=/etc/context-edge/api-token
HUB_JOIN_TOKEN_FILE=/etc/context-edge/join-token
END
cp ${APP}/systemd/${HUB} ${APP}/systemd/${BACKUP} ${APP}/systemd/context-edge-backup.timer /etc/systemd/system/`);
    if (made.exitCode !== 0) throw new Error(`the machine could not be prepared: ${made.stderr}`);
    for (const name of ["api-token", "join-token"]) await put(machine, `/etc/context-edge/${name}`, TOKEN);
    await sh(`systemctl daemon-reload; systemctl enable --now ${HUB} context-edge-backup.timer`);
    await untilItServes();
  });
  afterAll(() => machine?.halt());

  test("what was backed up by the unit beside the running hub is what a killed hub comes back with", async () => {
    expect((await ask("POST", "/api/v1/groups", '{"name": "before"}')).exitCode).toBe(0);
    expect(await sh(`systemctl start ${BACKUP}`)).toMatchObject({ exitCode: 0, stderr: "" });
    const backedUp = await readdir(machine.path(BACKUPS));
    const name = backedUp.find((one) => one !== "artifacts") ?? "";
    expect(await readdir(machine.path(`${BACKUPS}/artifacts`)), "the mark of this hub's files").toContain(MARKER);
    expect(name).toMatch(/^hub-\d{8}T\d{6}Z\.sqlite$/);
    expect((await stat(machine.path(`${BACKUPS}/${name}`))).mode & 0o777).toBe(0o600);
    expect((await sh(`journalctl -u ${BACKUP} -o cat`)).stdout).toContain("The audit is whole: 1 events. Head ");
    expect((await sh("systemctl list-timers context-edge-backup.timer")).stdout).toContain(BACKUP);

    expect((await ask("POST", "/api/v1/groups", '{"name": "after"}')).exitCode).toBe(0);
    const early = await sh(`hub restore ${BACKUPS}/${name}`);
    expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Stop it first") });

    await sh(`systemctl kill -s KILL ${HUB}; systemctl stop ${HUB}`);
    const restored = await sh(`hub restore ${BACKUPS}/${name}`);
    expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
    await sh(`systemctl start ${HUB}`);
    await untilItServes();
    expect(await groups()).toEqual(["before"]);
  });

  test("what root restores the hub's user can open", async () => {
    await sh(`systemctl stop ${HUB}`);
    const asRoot = `set -a; . /etc/context-edge/hub.env; cd ${APP}; exec node_modules/.bin/node hub/main.ts restore`;
    expect((await sh(`${asRoot} /var/lib/context-edge/hub.sqlite.replaced-*Z`)).exitCode).toBe(0);
    await sh(`systemctl start ${HUB}`);
    await untilItServes();
    expect(await groups()).toEqual(["after", "before"]);
  });
});
