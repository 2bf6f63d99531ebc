// The cluster in the dashboard: what is wrong on the overview, every node in the settings, a note on the device; nothing of it without a cluster.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { fakeAgent, fakeCluster, fakeNode } from "@context-edge/hub/testing/fake-cluster.ts";
import { openTestHub } from "@context-edge/hub/testing/test-hub.ts";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";

const DIST = fileURLToPath(new URL("../../dashboard/dist", import.meta.url));
const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

async function listeningHub(env: Record<string, string>) {
  const hub = await openTestHub({ HUB_DASHBOARD_DIR: DIST, ...env });
  onTestFinished(() => hub.close());
  return { hub, url: await hub.listen() };
}

describe.runIf(chromiumPath !== undefined)("the cluster", () => {
  let browser: Browser;
  const dir = mkdtempSync(join(tmpdir(), "context-edge-kube-"));
  beforeAll(async () => {
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true });
  });

  test("nodes in trouble are on the overview, the device's page has its note, and the settings show all of them", async () => {
    const cluster = await fakeCluster();
    cluster.put("nodes", fakeNode("jetson-1", { group: "line-3" }));
    cluster.put("nodes", fakeNode("jetson-2", { ready: "Unknown", isCordoned: true }));
    cluster.put("nodes", fakeNode("jetson-3"));
    for (const name of ["jetson-1", "jetson-2"]) cluster.put("pods", fakeAgent(name));
    cluster.refusals.set("patch nodes", 403);
    const { hub, url } = await listeningHub({ HUB_KUBECONFIG: cluster.kubeconfig(dir) });
    const { page, complaints } = await openDashboard(browser, `${url}/settings/cluster`);
    await page.getByTestId("node-jetson-3").getByText("No agent runs on jetson-3.").waitFor();
    for (const id of ["jetson-1", "jetson-2"]) await hub.enroll(id, "line-4");
    await page.goto(url);
    const section = page.getByRole("region", { name: "Cluster" });
    await section.getByText("The cluster calls jetson-2 NotReady").waitFor();
    await section.getByText('Give it the verb "patch" on "nodes"').waitFor();
    const rows = await section.getByRole("article").allInnerTexts();
    expect(rows.map((text) => /jetson-\d/.exec(text)?.[0])).toEqual(["jetson-2", "jetson-3"]);
    await shoot(page, "overview-cluster-light");
    await expectAccessible(page);
    await section.getByRole("link", { name: "See jetson-2" }).click();
    await page.getByText("jetson-2 is cordoned").waitFor();
    await expectAccessible(page);
    for (const scheme of ["light", "dark"] as const) {
      const visit = await openDashboard(browser, `${url}/settings/cluster`, scheme);
      await visit.page.getByTestId("node-jetson-1").getByText("line-3").waitFor();
      await shoot(visit.page, `settings-cluster-${scheme}`);
      await expectAccessible(visit.page);
      await visit.page.setViewportSize({ width: 390, height: 844 });
      expect(await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      expect(visit.complaints).toEqual([]);
      await visit.page.context().close();
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("without a cluster the settings say that none is needed, and the overview says nothing", async () => {
    const { url } = await listeningHub({});
    const { page, complaints } = await openDashboard(browser, `${url}/settings/cluster`);
    await page.getByText("This hub looks at no cluster").waitFor();
    await page.goto(url);
    await page.getByText("Nothing is waiting for you.").waitFor();
    expect(await page.getByRole("region", { name: "Cluster" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
