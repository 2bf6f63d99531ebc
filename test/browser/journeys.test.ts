// The engineer's day in a real browser, against a real fleet: review, pilot, watch, deploy to all, roll back, assign a group.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRealFleet, type RealFleet } from "../real-fleet.ts";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);
const LONG = { timeout: 90_000 };

describe.runIf(chromiumPath !== undefined)("the dashboard", () => {
  let fleet: RealFleet;
  let browser: Browser;
  beforeAll(async () => {
    fleet = await startRealFleet({ devices: 7, soakSeconds: 8 });
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await fleet?.close();
  });

  test("a newcomer sees what needs a decision, and that there is no sign-in", async () => {
    const { page, complaints } = await openDashboard(browser, fleet.layout.hubUrl);
    await page.getByText("No sign-in: this hub answers only on this machine").waitFor();
    await page.getByText("New model v2.1 ready for review").waitFor();
    await page
      .getByText(/accuracy\s+94\.\d % \(\+2\.\d\)/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await shoot(page, "overview-light");

    await page.goto(`${fleet.layout.hubUrl}/admin/models`);
    await page.getByRole("heading", { name: "Models", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/models");
    expect(complaints).toEqual([]);
  });

  test("v2.1 is reviewed, put on five devices, watched, put on all and rolled back", async () => {
    const { page, complaints } = await openDashboard(browser, `${fleet.layout.hubUrl}/models`);
    await page.getByRole("link", { name: "Review v2.1" }).click();
    await page.getByRole("heading", { name: /v2\.1/, level: 1 }).waitFor();
    await page.getByText("beside v2.0, which runs now").waitFor();
    await shoot(page, "review-light");

    await page.getByRole("button", { name: "Deploy to pilot" }).click();
    for (const id of ["edge-003", "edge-004", "edge-005"]) await page.getByRole("checkbox", { name: id }).check();
    await page.getByText("5 devices of the pilot change from v2.0 to v2.1.").waitFor();
    await shoot(page, "pilot-dialog-light");
    await page.getByRole("button", { name: "Deploy to 5 devices" }).click();

    await page.getByRole("heading", { name: /v2\.1 on pilot/ }).waitFor();
    const toAll = page.getByRole("button", { name: "Deploy to all (7 devices)" });
    await toAll.waitFor();
    expect(await toAll.isDisabled()).toBe(true);
    await page.getByTestId("device-edge-001").getByText("probing").waitFor();
    await shoot(page, "deployment-running-light");
    await page.locator('[data-testid="device-edge-005"][data-sync="in-sync"]').waitFor(LONG);
    await page.getByText("Validated accuracy").waitFor();

    await page.getByRole("button", { name: "Deploy to all (7 devices)", disabled: false }).waitFor(LONG);
    await expectAccessible(page);
    await shoot(page, "deployment-passed-light");
    await toAll.click();
    await page.getByText("2 devices of all groups change from v2.0 to v2.1.").waitFor();
    await page.getByRole("button", { name: "Deploy to 7 devices" }).click();

    await page.getByRole("heading", { name: /v2\.1 on .*line-1/ }).waitFor();
    await page.getByTestId("state-reason").getByText("All 7 reachable devices run it").waitFor(LONG);

    await page.getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("button", { name: "Roll back" }).last().click();
    await page.getByRole("heading", { name: /v2\.0 on/ }).waitFor();
    await page.getByTestId("state-reason").getByText("All 7 reachable devices run it").waitFor(LONG);
    expect(complaints).toEqual([]);
  }, 300_000);

  test("a version is assigned to a group, and its devices are watched going bad and coming back, live", async () => {
    const { page, complaints } = await openDashboard(browser, `${fleet.layout.hubUrl}/groups`, "dark");
    await page.getByLabel("Version for line-2").selectOption("v2.3");
    await page.getByRole("region", { name: "line-2" }).getByRole("button", { name: "Assign" }).click();
    await page.getByText("2 devices of line-2 change from v2.0 to v2.3.").waitFor();
    await page.getByRole("button", { name: "Assign v2.3 to line-2" }).click();

    await page.getByRole("link", { name: "line-2" }).click();
    const device = page.getByTestId("device-edge-006");
    await device.getByText("Rolled back v2.3").waitFor(LONG);
    await device.getByText("GOLDEN_MISMATCH").waitFor();
    await device.getByText(/golden samples were answered wrongly/).waitFor();
    await device.getByText("runs v2.0").waitFor();
    await expectAccessible(page);
    await shoot(page, "group-after-bad-version-dark");

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText(/Halted: \d of 2 devices did not keep it \(GOLDEN_MISMATCH\)/).waitFor();
    await shoot(page, "overview-halted-dark");
    expect(complaints).toEqual([]);
  }, 180_000);

  test("a version goes out in steps: what would happen is shown first, and a person lets it go on", async () => {
    const { page, complaints } = await openDashboard(browser, `${fleet.layout.hubUrl}/models/v2.1`);
    await page.getByRole("button", { name: "Deploy in steps …" }).click();
    await page.getByRole("heading", { name: "Deploy v2.1 in steps" }).waitFor();
    const deploy = page.getByRole("button", { name: "Deploy v2.1" });
    expect(await deploy.isDisabled()).toBe(true);
    await page.getByRole("checkbox", { name: /^line-2/ }).check();
    await page.getByLabel("Waves of each group").fill("1, 100%");
    await page.getByLabel("Hours to watch between steps").fill("0");
    await page.getByText("Step 2").waitFor();
    await page.getByText("2 devices, target now v2.3").waitFor();
    await expectAccessible(page);
    await shoot(page, "deploy-preview-light");
    await deploy.click();

    await page.getByRole("heading", { name: /v2\.1 on line-2/ }).waitFor();
    const goOn = page.getByRole("button", { name: "Go on to the next step" });
    await page.getByTestId("later").getByText("1 device").waitFor();
    await page.getByRole("button", { name: "Go on to the next step", disabled: false }).waitFor(LONG);
    await goOn.click();
    await page.getByRole("button", { name: "Go on to step 2" }).click();
    await page.getByTestId("state-reason").getByText("All 2 reachable devices run it").waitFor(LONG);
    expect(complaints).toEqual([]);
  }, 180_000);

  test("deploying without the gate asks for a reason and keeps it", async () => {
    const { body } = await fleet.call("POST", "/mlops/models/v2.1/deploy-pilot", { pilot_device_ids: ["edge-001"] });
    const { page } = await openDashboard(
      browser,
      `${fleet.layout.hubUrl}/deployments/${String(body["deployment_id"])}`,
    );
    await page.getByRole("button", { name: "Deploy anyway…" }).click();
    const confirm = page.getByRole("button", { name: "Deploy to 7 devices" });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel("Why deploy without the gate?").fill("the line stands still");
    await confirm.click();
    await page.getByRole("heading", { name: /v2\.1 on .*line-1/ }).waitFor();
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByText(/overrode the gate of v2\.1: the line stands still/).waitFor();
  }, 90_000);
});
