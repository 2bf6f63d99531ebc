// The device's own page in a real browser: every state in both themes, accessible, on a phone and on a desk; live without getting in the way; and without JavaScript.
import { FIXTURES, calm } from "@context-edge/agent/status/testing/fixtures.ts";
import { TEST_PIN, type TestServer, testServer } from "@context-edge/agent/status/testing/test-server.ts";
import type { StatusDocument } from "@context-edge/agent/status/document.ts";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, shoot, shootAsItStands } from "./dashboard.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

const PHONE = { width: 390, height: 844 };
const SMALL_PHONE = { width: 320, height: 568 };
const DESK = { width: 1_280, height: 900 };

describe.runIf(chromiumPath !== undefined)("the device's page", () => {
  let browser: Browser;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function serve(document: StatusDocument): Promise<TestServer & { url: string }> {
    const server = testServer(document);
    const url = await server.app.listen({ host: "127.0.0.1", port: 0 });
    closing.push(() => server.app.close());
    return { ...server, url };
  }

  async function open(url: string, more: { scheme?: "light" | "dark"; script?: boolean } = {}) {
    const context = await browser.newContext({
      viewport: PHONE,
      colorScheme: more.scheme ?? "light",
      javaScriptEnabled: more.script ?? true,
      reducedMotion: "reduce",
    });
    closing.unshift(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints };
  }

  async function look(page: Page, name: string): Promise<void> {
    // What is folded away is looked at too, and folded again for the pictures.
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    await expectAccessible(page);
    await page.reload();
    for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESK, small: SMALL_PHONE })) {
      await page.setViewportSize(viewport);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(overflow, `${name} on ${size}`).toBeLessThanOrEqual(0);
      if (size !== "small") await shoot(page, `status-${name}-${size}`);
    }
    const levels = await page.evaluate(
      "[...document.querySelectorAll('h1,h2,h3')].map((one) => Number(one.tagName[1]))",
    );
    expectOrdered(levels as number[]);
  }

  test.each(Object.entries(FIXTURES))(
    "%s is accessible in both themes and fits a small phone",
    async (name, document) => {
      const { url } = await serve(document);
      for (const scheme of ["light", "dark"] as const) {
        const { page, complaints } = await open(url, { scheme });
        await page.getByRole("heading", { level: 1 }).waitFor();
        await look(page, `${name}-${scheme}`);
        expect(complaints).toEqual([]);
      }
    },
  );

  test("without JavaScript: rolling back is confirmed, needs the PIN, and says what came of it", async () => {
    const { url, ordered } = await serve(calm);
    for (const scheme of ["light", "dark"] as const) {
      const { page } = await open(url, { scheme, script: false });
      await page.getByRole("link", { name: "Roll back to v2.0…" }).click();
      await page.getByRole("heading", { name: "Roll back to v2.0?" }).waitFor();
      await shootAsItStands(page, `status-confirm-phone-${scheme}`);
      await page.getByLabel("PIN").fill("1234");
      await page.getByRole("button", { name: "Yes, put v2.0 back" }).click();
      await page.getByRole("alert").getByText("The PIN is wrong.").waitFor();
      expect(ordered).toEqual([]);
    }
    const { page } = await open(`${url}/rollback/default`, { script: false });
    await page.getByLabel("PIN").fill(TEST_PIN);
    await page.getByRole("button", { name: "Yes, put v2.0 back" }).click();
    await page.getByRole("status").getByText("Going back from v2.1 to v2.0.").waitFor();
    expect(ordered).toEqual(["rollback default"]);
  });

  test("a hold is set with a real form of a real browser, through the check of its origin", async () => {
    const { url, ordered } = await serve(calm);
    const { page, complaints } = await open(url);
    await page.getByText("Hold", { exact: true }).click();
    await page.getByLabel("For how long").selectOption("8");
    await page.getByLabel("Reason (may be left empty)").fill("camera is being replaced");
    await page.locator("#pin-hold").fill(TEST_PIN);
    await page.getByRole("button", { name: "Hold this device" }).click();
    await page.getByText("This device is on hold for 8 hours").waitFor();
    expect(new URL(page.url()).search).toBe("");
    expect(ordered).toEqual(["hold 8 camera is being replaced"]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  test("the confirmation and a locked PIN are accessible in both themes", async () => {
    const { url } = await serve(calm);
    for (const scheme of ["light", "dark"] as const) {
      const { page, complaints } = await open(`${url}/rollback/default`, { scheme });
      await look(page, `confirm-${scheme}`);
      expect(complaints).toEqual([]);
    }
    const guess = () =>
      fetch(`${url}/actions/check`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"pin":"0000"}',
      });
    for (let tries = 0; tries < 5; tries += 1) await guess();
    expect((await guess()).status).toBe(429);
    for (const scheme of ["light", "dark"] as const) {
      const { page } = await open(url, { scheme });
      await page.getByRole("heading", { name: "The PIN is locked" }).waitFor();
      await look(page, `pin-locked-${scheme}`);
    }
  });

  test("the page follows the device live, and leaves alone what the reader is doing", async () => {
    const server = await serve(calm);
    const { page, complaints } = await open(server.url);
    const state = page.locator("#hero .state");
    const digest = page.locator("#digest-default-current_trt");
    await digest.locator("summary").click();
    await page.getByText("Hold", { exact: true }).click();
    await page.locator("#pin-hold").pressSequentially("4711");

    server.show(FIXTURES["downloading"] ?? calm);
    await state.getByText("Downloading.").waitFor();
    await page.getByText("about 31 seconds left").waitFor();
    // The page asks after the event; the part in use would have been replaced in the same go.
    expect(await page.locator("#pin-hold").inputValue()).toBe("4711");
    expect(await page.evaluate("document.activeElement.id")).toBe("pin-hold");
    expect(await digest.getAttribute("open")).toBe("");

    await digest.locator("summary").focus();
    server.show(FIXTURES["probing"] ?? calm);
    await state.getByText("Testing.").waitFor();
    await page.locator("#model-default").getByText("since Tuesday").first().waitFor();
    expect(await page.evaluate("document.activeElement.closest('details').id")).toBe("digest-default-current_trt");
    expect(await digest.getAttribute("open")).toBe("");
    expect(complaints).toEqual([]);
  });

  test("the keyboard reaches every action, beginning with a way past the banner", async () => {
    const { url } = await serve(calm);
    const { page } = await open(url);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the status");
    const reached: string[] = [];
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      reached.push(String(await page.evaluate("document.activeElement.textContent.trim()")));
    }
    expect(reached).toEqual(
      expect.arrayContaining(["Check now", "Hold", "Roll back to v2.0…", "Download diagnostics"]),
    );
  });

  test("another site can neither send a form to the device nor show it in a frame", async () => {
    const device = await serve(calm);
    const { page } = await open("about:blank");
    const html = `<form method="post" action="${device.url}/actions/check"><input name="pin" value="${TEST_PIN}"></form>
      <iframe src="${device.url}"></iframe>`;
    // Another port of this machine: the hardest case, since its address is the device's own.
    const other = await serve(calm);
    await page.route(`${other.url}/evil`, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await page.goto(`${other.url}/evil`);
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    expect(framed).toBeDefined();
    expect(await framed?.evaluate("document.querySelector('#hero') === null")).toBe(true);
    await Promise.all([page.waitForURL(`${device.url}/actions/check`), page.evaluate("document.forms[0].submit()")]);
    expect(await page.content()).toContain("ORIGIN_REFUSED");
    expect(device.ordered).toEqual([]);
  });
});

/** No level is skipped on the way down: WCAG 1.3.1. */
function expectOrdered(levels: readonly number[]): void {
  expect(levels[0]).toBe(1);
  levels.forEach((level, index) => expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1));
}
