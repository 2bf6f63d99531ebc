// Two hubs on one PostgreSQL that watch the same cluster: both see it, and only the one that leads writes labels.
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { fakeCluster, fakeNode } from "../testing/fake-cluster.ts";
import { type HubProcess, openSite } from "../testing/hub-process.ts";
import { startPostgres } from "../testing/postgres.ts";
import { until } from "../testing/test-hub.ts";
import { enrolOn } from "../testing/wire-device.ts";

const GROUP = "context-edge.io/group";
const LONG_MS = 20_000;
const postgres = await startPostgres();
afterAll(() => postgres?.close());

describe.skipIf(postgres === null)("two replicas", { timeout: 90_000 }, () => {
  test("a move on either is written once, by the hub that leads, and by the other one when that is gone", async () => {
    const cluster = await fakeCluster();
    cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
    const url = (await postgres?.database()) ?? "";
    const site = openSite({ DATABASE_URL: url });
    const start = (token: string) => site.start({ HUB_KUBECONFIG: cluster.kubeconfig(site.dir, token) });
    const hubs = new Map<string, HubProcess>([
      ["first", await start("first")],
      ["second", await start("second")],
    ]);
    const sql = new pg.Client(url);
    await sql.connect();
    /** By the session that holds the conductor's lock. */
    const leaderOf = async () => {
      const { rows } = await sql.query<{ application_name: string }>(
        `select application_name from pg_locks join pg_stat_activity using (pid)
         where locktype = 'advisory' and granted and application_name like 'context-edge conductor%'`,
      );
      return [...hubs].find(([, { pid }]) => rows[0]?.application_name.endsWith(`/${pid}`))?.[0];
    };
    const move = (at: HubProcess | undefined, group: string) =>
      at?.call("PATCH", "/api/v1/devices/jetson-1", { group });
    const written = (group: string) =>
      until(async () => cluster.get("jetson-1")?.metadata.labels[GROUP] === group, LONG_MS);
    try {
      for (const hub of hubs.values())
        await until(async () => (await hub.call("GET", "/api/v1/cluster")).body["state"] === "seen", LONG_MS);
      const leader = await until(leaderOf, LONG_MS);
      const other = leader === "first" ? "second" : "first";
      const [leading, following] = [hubs.get(leader), hubs.get(other)];
      if (!leading || !following) throw new Error("two hubs were started");
      await enrolOn(following, "jetson-1", "of-the-agent");
      for (const name of ["line-4", "line-5"]) await following.call("POST", "/api/v1/groups", { name });
      expect(await move(following, "line-4")).toMatchObject({ status: 200, body: { group: "line-4" } });
      await written("line-4");
      await until(async () => {
        const { body } = await following.call("GET", "/api/v1/cluster");
        return (body["nodes"] as { label_group: string }[])[0]?.label_group === "line-4";
      });
      expect(cluster.patches.map(({ by }) => by)).toEqual([leader]);
      await leading.kill("SIGKILL");
      expect(await move(following, "line-5")).toMatchObject({ status: 200 });
      await written("line-5");
      expect(cluster.patches.map(({ by }) => by)).toEqual([leader, other]);
    } finally {
      await sql.end();
      await site.close();
    }
  });
});
