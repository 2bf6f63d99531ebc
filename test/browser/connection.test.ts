// A dashboard that is open all day: the line breaks and comes back, pages are addresses, and a keyboard is enough.
import { chaosProxy, type ChaosProxy } from "@context-edge/agent/testing/chaos-proxy.ts";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { openDashboard, shoot } from "./dashboard.ts";
import { type Story, tellStory } from "./showcase/story.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

describe.runIf(chromiumPath !== undefined)("an open dashboard", () => {
  let story: Story;
  let line: ChaosProxy;
  let browser: Browser;
  beforeAll(async () => {
    story = await tellStory();
    line = await chaosProxy(story.url);
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await line?.close();
    await story?.close();
  });

  test("says when it is cut off, keeps what it knew, and catches up with what happened meanwhile", async () => {
    const { page } = await openDashboard(browser, line.url);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("New model v2.2 ready for review").waitFor();
    // The next byte is the last, on this connection and on any later one.
    line.behave({ cutAfterBytes: 1 });
    await story.call("POST", "/mlops/models/v2.2/reject", { reason: "too slow on the line" });
    await page.getByRole("alert").getByText("What you see may be old").waitFor({ timeout: 60_000 });
    await page.getByText("New model v2.2 ready for review").waitFor();
    await shoot(page, "cut-off-light");
    line.behave({});
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText("New model v2.2 ready for review").waitFor({ state: "detached" });
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.context().close();
  });

  test("an address leads to the very page and filter, and the back button goes where one was", async () => {
    const { page } = await openDashboard(browser, `${line.url}/devices?sync=failed`);
    const rows = page.locator("tbody tr");
    await page.getByText("1 of 50 devices").waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel("State").selectOption("");
    await page.getByLabel("Find a device").fill("xavier");
    await page.getByText("4 of 50 devices").waitFor();
    expect(new URL(page.url()).search).toContain("text=xavier");
    await rows.first().getByRole("link").first().click();
    await page.getByRole("heading", { level: 1, name: /^edge-/ }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
    expect(await page.getByLabel("Find a device").inputValue()).toBe("xavier");
    await page.goto(`${line.url}/activity`);
    await page.getByRole("heading", { level: 1, name: "Audit" }).waitFor();
    await page.context().close();
  });

  test("a group is given a version without a pointing device", async () => {
    const { page } = await openDashboard(browser, `${line.url}/groups/line-1`);
    await page.getByRole("heading", { level: 1, name: "line-1" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement?.textContent")).toContain("Skip to");
    await page.keyboard.press("Enter");
    const focused = async (label: string) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press("Tab");
        const name = await page.evaluate(
          "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? ''",
        );
        if (name === label) return;
      }
      throw new Error(`no Tab leads to ${label}`);
    };
    await focused("Version for line-1");
    await page.keyboard.type("v2.1");
    await focused("Assign");
    await page.keyboard.press("Enter");
    await page.getByText("12 devices of line-1 change from v2.0 to v2.1.").waitFor();
    await focused("Assign v2.1 to line-1");
    // What has the focus can be seen.
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline).not.toBe("none");
    await page.keyboard.press("Enter");
    await page.getByText("line-1 is told to run v2.1.").waitFor();
    await page.context().close();
  });
});
