// Groups by hand: made, filled by dragging and by choosing many, given a version after a look at what would happen, given an earlier one back, deleted.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";
import { type Story, tellStory } from "./showcase/story.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

describe.runIf(chromiumPath !== undefined)("groups", () => {
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

  test("a group is made, gets a device by dragging and more by choosing them, and an empty one is deleted", async () => {
    const { page, complaints } = await openDashboard(browser, `${story.url}/groups`);
    await page.getByRole("button", { name: "New group" }).click();
    await page.getByLabel("Name").fill("line-4");
    await page.getByRole("button", { name: "Create group" }).click();
    const group = page.getByRole("region", { name: "line-4" });
    await group.getByText("No devices").waitFor();

    await page.getByRole("link", { name: "edge-006: In sync" }).dragTo(group);
    await page.getByText("line-4 has no target: the devices keep what they run.").waitFor();
    await shoot(page, "move-dialog-light");
    await page.getByRole("button", { name: "Move to line-4" }).click();
    await group.getByRole("link", { name: "edge-006: " }).waitFor();

    await page.goto(`${story.url}/groups/line-1`);
    for (const id of ["edge-007", "edge-008"]) await page.getByLabel(`Select ${id}`).check();
    await page.getByText("2 selected").waitFor();
    await page.getByLabel("Move the selected devices to").selectOption("line-4");
    await page.getByText("edge-007, edge-008").waitFor();
    await page.getByRole("button", { name: "Move to line-4" }).click();
    await page.getByText("2 devices are in line-4 now.").waitFor();
    await page.getByLabel("Select edge-007").waitFor({ state: "detached" });

    await page.getByRole("link", { name: "Groups", exact: true }).first().click();
    await page.getByRole("button", { name: "New group" }).click();
    await page.getByLabel("Name").fill("spare");
    await page.getByRole("button", { name: "Create group" }).click();
    await page.getByRole("link", { name: "spare" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete group" }).click();
    await page.getByRole("heading", { level: 1, name: "Groups" }).waitFor();
    await page.getByRole("region", { name: "spare" }).waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a version is assigned after a look at what would change, with those it does not fit named; an earlier target comes back by one button", async () => {
    const { page, complaints } = await openDashboard(browser, `${story.url}/groups/line-3`);
    await page.getByLabel("Version for line-3").selectOption("v2.2");
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    await page.getByText("12 devices of line-3 change from v2.0 to v2.2.").waitFor();
    await page.getByText("This approves the version in your name.").waitFor();
    await expectAccessible(page);
    await shoot(page, "assign-dialog-light");
    await page.getByRole("button", { name: "Assign v2.2 to line-3" }).click();
    await page.getByText("line-3 is told to run v2.2.").waitFor();
    await page.getByText("12 pending").or(page.getByText("11 pending")).waitFor();

    await page.getByRole("button", { name: "Restore v2.0" }).click();
    await page.getByText("No device of line-3 changes: all run v2.0 already.").waitFor();
    await page.getByRole("button", { name: "Assign v2.0 to line-3" }).click();
    await page.getByText("line-3 is told to run v2.0.").waitFor();
    await page.getByText("12 in sync").waitFor();

    await page.goto(`${story.url}/groups/packaging`);
    await page.getByLabel("Version for packaging").selectOption("v2.2");
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    await page
      .getByText("4 devices (NVIDIA Jetson Xavier NX) keep what they run: no file of v2.2 fits them.")
      .waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("no file of v2.2 fits them").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a device is held, pinned and taken out of service, each with a reason, and each can be seen afterwards", async () => {
    const { page } = await openDashboard(browser, `${story.url}/devices/edge-010`);
    await page.getByRole("button", { name: "Pin to a version" }).click();
    const pin = page.getByRole("button", { name: "Pin to v2.0" });
    expect(await pin.isDisabled()).toBe(true);
    await page.getByLabel("Reason").fill("a customer's audit");
    await pin.click();
    await page.getByText("Pinned", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Unpin" }).click();
    await page.getByRole("button", { name: "Unpin" }).last().click();
    await page.getByText("Pinned", { exact: true }).waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Decommission" }).click();
    await page.getByLabel("Why is it taken out of service?").fill("replaced by edge-051");
    await page.getByRole("button", { name: "Decommission" }).last().click();
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
    await page.getByText("49 of 49 devices").waitFor();
    await page.getByRole("link", { name: "Audit" }).click();
    await page
      .getByText(/replaced by edge-051/)
      .first()
      .waitFor();
    await page.context().close();
  });
});
