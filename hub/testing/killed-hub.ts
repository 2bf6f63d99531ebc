// What a hub leaves behind that was killed with a full WAL, and a backup from before: for tests of what is made of it.
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HubConfig, readConfig } from "../config.ts";
import { openStore } from "../store/open.ts";
import { runHub } from "./command-line.ts";
import { openSite, registerOn, type Site } from "./hub-process.ts";

export interface Remains {
  dir: string;
  /** HUB_DATA: v1 and v2, and nearly all of it only in the WAL. */
  data: string;
  /** Made when there was v1 alone. */
  backup: string;
  forget(): void;
}

export interface KilledHub {
  site: Site;
  /** A copy of its own for each test. */
  remains(): Remains;
  close(): Promise<void>;
}

export async function killAHub(): Promise<KilledHub> {
  const site = openSite();
  const hub = await site.start();
  await registerOn(hub, site, "v1");
  await runHub(["backup", join(site.dir, "backup.sqlite")], site.env);
  await registerOn(hub, site, "v2");
  for (let number = 0; number < 40; number += 1) await hub.call("POST", "/api/v1/groups", { name: `g${number}` });
  await hub.kill("SIGKILL");
  return {
    site,
    remains() {
      const dir = mkdtempSync(join(tmpdir(), "context-edge-remains-"));
      cpSync(site.dir, dir, { recursive: true });
      return {
        dir,
        data: join(dir, "data"),
        backup: join(dir, "backup.sqlite"),
        forget: () => rmSync(dir, { recursive: true, force: true }),
      };
    },
    close: () => site.close(),
  };
}

export function configOf(env: Record<string, string>): HubConfig {
  const configured = readConfig(env);
  if (!configured.ok) throw new Error(configured.reason);
  return configured.config;
}

/** As the next hub finds them. */
export async function versionsIn(dataDir: string): Promise<string[]> {
  const store = await openStore({ databaseUrl: undefined, dataDir });
  try {
    return (await store.versions.list("default")).map(({ version_id }) => version_id).sort();
  } finally {
    await store.close();
  }
}

/** @returns the name under which a restore has kept what was there */
export const asideIn = (dataDir: string): string =>
  readdirSync(dataDir).find((name) => /\.replaced-\d{8}T\d{9}Z$/.test(name)) ?? "";
