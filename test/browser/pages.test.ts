// Every page as it looks on an ordinary day of fifty devices: in both themes and on a phone, accessible, without a complaint; kept as pictures.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";
import { type Story, tellStory } from "./showcase/story.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

const charts = (page: Page) => page.locator("time-chart canvas").first().waitFor();
const heading = (page: Page) => page.getByRole("heading", { level: 1 }).waitFor();

/** Name, address, and what is there when the page is. */
const PAGES: [string, (story: Story) => string, (page: Page) => Promise<unknown>][] = [
  ["overview", () => "/", (page) => page.getByText("Needs a decision").waitFor()],
  ["models", () => "/models", (page) => page.getByRole("link", { name: "Review v2.2" }).waitFor()],
  [
    "version",
    () => "/models/v2.2",
    (page) => page.getByText("4 devices (NVIDIA Jetson Xavier NX) have no variant").waitFor(),
  ],
  ["version-quarantined", () => "/models/v2.0-rc1", heading],
  ["deploy", () => "/models/v2.2/deploy", (page) => page.getByText("What would happen").waitFor()],
  ["deployments", () => "/deployments", heading],
  ["deployment-passed", ({ deployments }) => `/deployments/${deployments.pilot}`, charts],
  ["deployment-halted", ({ deployments }) => `/deployments/${deployments.halted}`, charts],
  ["deployment-running", ({ deployments }) => `/deployments/${deployments.running}`, charts],
  ["groups", () => "/groups", (page) => page.locator("fleet-map .tile").first().waitFor()],
  ["group", () => "/groups/line-2", (page) => page.getByRole("button", { name: "Restore v2.0" }).waitFor()],
  ["devices", () => "/devices", (page) => page.getByTestId("device-edge-001").waitFor()],
  ["device", () => "/devices/edge-001", charts],
  ["device-in-trouble", () => "/devices/edge-027", charts],
  ["device-offline", () => "/devices/edge-031", heading],
  ["audit", () => "/audit", (page) => page.getByText("edge-001: v2.1 committed").waitFor()],
  ["settings-joining", () => "/settings/devices", (page) => page.getByText("Let a device join").waitFor()],
  ["settings-tokens", () => "/settings/tokens", heading],
  ["settings-webhooks", () => "/settings/webhooks", heading],
  [
    "settings-trust",
    () => "/settings/trust",
    (page) => page.getByText("It signs versions on the training side.").waitFor(),
  ],
  ["not-found", () => "/nowhere", (page) => page.getByText("There is no such page.").waitFor()],
];

describe.runIf(chromiumPath !== undefined)("the page", () => {
  let story: Story;
  let browser: Browser;
  beforeAll(async () => {
    story = await tellStory();
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await story?.close();
  });

  test.each(PAGES)("%s is clear in light and dark, and fits a phone", async (name, pathIn, isThere) => {
    for (const scheme of ["light", "dark"] as const) {
      const { page, complaints } = await openDashboard(browser, `${story.url}${pathIn(story)}`, scheme);
      await heading(page);
      await isThere(page);
      await shoot(page, `${name}-${scheme}`);
      await expectAccessible(page);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      if (scheme === "light") await shoot(page, `${name}-phone`);
      await expectAccessible(page);
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });
});
