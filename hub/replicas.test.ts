// Three hubs as processes on one PostgreSQL: devices may ask any, each hears what the others did, and one may die in the middle.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HubProcess, openSite, registerOn, type Site } from "./testing/hub-process.ts";
import { startPostgres } from "./testing/postgres.ts";
import { until } from "./testing/test-hub.ts";
import { enrolOn, type WireDevice } from "./testing/wire-device.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const OFFLINE_AFTER_SECONDS = 3;
const LONG_WAIT = 50;
const postgres = await startPostgres();

describe.skipIf(postgres === null)("three replicas", { timeout: 60_000 }, () => {
  let url: string;
  let site: Site;
  let hubs: HubProcess[];
  let sql: pg.Client;
  const digests = new Map<string, string>();
  const devices: WireDevice[] = [];
  const hub = (index: number) => hubs[index % hubs.length] as HubProcess;

  beforeAll(async () => {
    url = (await postgres?.database()) ?? "";
    site = openSite({ DATABASE_URL: url, HUB_OFFLINE_AFTER_SECONDS: String(OFFLINE_AFTER_SECONDS) });
    // At once, on an empty database and an empty directory: the schema and the signing key are made once.
    hubs = await Promise.all([site.start(), site.start(), site.start()]);
    sql = new pg.Client(url);
    await sql.connect();
    for (const [index, version] of ["v1", "v2", "v3", "v4"].entries())
      digests.set(version, await registerOn(hub(index), site, version));
    for (let index = 0; index < 6; index++) devices.push(await enrolOn(hub(index), `edge-${index}`, "line"));
  }, 60_000);
  afterAll(async () => {
    await sql?.end();
    await site?.close();
    await postgres?.close();
  });

  const assign = async (at: HubProcess, version: string) => {
    const { status, body } = await at.call("PUT", "/api/v1/groups/line/target", { version });
    expect([status, body]).toMatchObject([200, {}]);
    return String(body["id"]);
  };
  const state = async (at: HubProcess, id: string) =>
    (await at.call("GET", `/api/v1/deployments/${id}`)).body["state"] as string;
  const online = async (at: HubProcess, id: string) => (await at.call("GET", `/api/v1/devices/${id}`)).body["online"];
  /** The process whose session holds the conductor's lock. */
  const leader = () =>
    until(async () => {
      const { rows } = await sql.query<{ application_name: string }>(
        `select application_name from pg_locks join pg_stat_activity using (pid)
         where locktype = 'advisory' and granted and application_name like 'context-edge conductor%'`,
      );
      return hubs.find(({ pid }) => rows[0]?.application_name.endsWith(`/${pid}`));
    }, 15_000);

  test("a deployment made on one wakes the devices that wait on the others, which serve the same bytes", async () => {
    const stream = await openStream(hub(2));
    const before = await Promise.all(devices.map((device, index) => device.poll(hub(index))));
    const held = devices.map((device, index) =>
      device.poll(hub(index), before[index]?.headers.get("etag") ?? "", LONG_WAIT),
    );
    const began = performance.now();
    const id = await assign(hub(0), "v1");
    const answers = await Promise.all(held);
    expect(performance.now() - began).toBeLessThan((LONG_WAIT * 1_000) / 4);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ headers }) => headers.get("etag")))).toHaveProperty("size", 1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body)))).toHaveProperty("size", 1);
    await until(async () => stream.text().includes(`"kind":"deployment.created"`) && stream.text().includes(id));
    stream.close();
  });

  test("a hold of a device on one reaches it where it waits", async () => {
    const [device] = devices as [WireDevice];
    const before = await device.poll(hub(1));
    const held = device.poll(hub(1), before.headers.get("etag") ?? "", LONG_WAIT);
    await hub(0).call("PATCH", "/api/v1/devices/edge-0", { hold: { hours: 1, reason: "a visit" } });
    const after = await held;
    expect(after.headers.get("context-edge-assignment")).not.toBe(before.headers.get("context-edge-assignment"));
    await hub(2).call("PATCH", "/api/v1/devices/edge-0", { hold: null });
  });

  test("a device that asks one of them only is online on all, and offline on all when it is gone", async () => {
    const device = await enrolOn(hub(1), "lonely", "elsewhere");
    const { headers } = await device.poll(hub(1));
    const held = device.poll(hub(1), headers.get("etag") ?? "", OFFLINE_AFTER_SECONDS * 2);
    const endMs = performance.now() + OFFLINE_AFTER_SECONDS * 2_000 - 500;
    await until(() => online(hub(2), "lonely").then((is) => is === true));
    await until(async () => {
      expect(await Promise.all(hubs.map((one) => online(one, "lonely")))).toEqual([true, true, true]);
      return performance.now() > endMs;
    }, OFFLINE_AFTER_SECONDS * 3_000);
    await held;
    for (const one of hubs) await until(() => online(one, "lonely").then((is) => is === false), 15_000);
  });

  test("fault 70: two engineers who deploy at once on two hubs: one wins, and the other is told", async () => {
    const statuses = await until(async () => {
      const both = await Promise.all(
        ["v2", "v3"].map((version, index) => hub(index).call("PUT", "/api/v1/groups/line/target", { version })),
      );
      const won = both.filter(({ status }) => status === 200).length;
      expect(won).toBeGreaterThan(0);
      // Where the second request came only after the first was done everywhere, it saw it and may go on from there.
      return won === 1 && both.map(({ status }) => status).toSorted((one, other) => one - other);
    }, 20_000);
    expect(statuses).toEqual([200, 409]);
  });

  test("fault 57: the leader is killed in mid-deployment: another goes on, nothing acknowledged is lost, the history is whole", async () => {
    const first = await leader();
    const others = hubs.filter((one) => one !== first);
    const [a, b, ...rest] = devices as [WireDevice, WireDevice, ...WireDevice[]];
    // Those that have not settled stay on the line, so that the deployment has somebody to wait for.
    const hold = async () => {
      const etag = (await a.poll(hub(1))).headers.get("etag") ?? "";
      return rest.map((device, index) => device.poll(others[index % 2] as HubProcess, etag, LONG_WAIT));
    };
    const told = await hold();
    for (const one of hubs)
      for (const { id } of rest) await until(() => online(one, id).then((is) => is === true), 10_000);
    const id = await assign(hub(0), "v4");
    await Promise.all(told);
    const held = await hold();
    const model = { version: "v4", digest: digests.get("v4") ?? "", deployment: id };
    expect((await a.commit(first, model)).status).toBe(200);
    // Killed the moment it has acknowledged.
    const acknowledged = await b.commit(first, model);
    await first.kill("SIGKILL");
    expect(acknowledged.status).toBe(200);

    hubs = others;
    const next = await leader();
    expect(next.pid).not.toBe(first.pid);
    expect(await state(next, id)).toBe("running");
    for (const [index, device] of rest.entries()) expect((await device.commit(hub(index), model)).status).toBe(200);
    for (const one of hubs) await until(() => state(one, id).then((is) => is === "finished"), 20_000);

    const { rows } = await sql.query<{ device_id: string }>(
      "select device_id from outcomes where deployment_id = $1 order by device_id",
      [id],
    );
    expect(rows.map(({ device_id }) => device_id)).toEqual(devices.map((device) => device.id));
    const verified = await promisify(execFile)(process.execPath, [MAIN, "audit", "verify"], {
      env: { ...process.env, ...site.env },
    });
    expect(verified.stdout).toMatch(/whole/);
    // Their wait ends with the next order.
    await assign(hub(1), "v1");
    await Promise.all(held);
  });

  test("a leader that freezes is replaced, and does not lead when it thaws", async () => {
    const frozen = await leader();
    process.kill(frozen.pid, "SIGSTOP");
    try {
      const next = await until(async () => {
        const one = await leader();
        return one !== frozen && one;
      }, 20_000);
      process.kill(frozen.pid, "SIGCONT");
      // It answers again, has followed what was done meanwhile, and asks for a lock that another holds.
      const id = await assign(next, "v2");
      await until(() => state(frozen, id).then((is) => is !== undefined), 10_000);
      expect((await leader()).pid).toBe(next.pid);
    } finally {
      process.kill(frozen.pid, "SIGCONT");
    }
  });

  test("a hub that starts again serves the bytes the others serve", async () => {
    hubs.push(await site.start());
    const [device] = devices as [WireDevice];
    const answers = await Promise.all(hubs.map((one) => device.poll(one)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body)))).toHaveProperty("size", 1);
  });
});

async function openStream(hub: HubProcess): Promise<{ text(): string; close(): void }> {
  const stop = new AbortController();
  const response = await fetch(`${hub.url}/api/v1/events`, { signal: stop.signal });
  let text = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => undefined);
  return { text: () => text, close: () => stop.abort() };
}
