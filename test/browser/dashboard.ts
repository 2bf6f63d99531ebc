// A browser on a real fleet's dashboard, with the few gestures that journeys share.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { expect, onTestFailed } from "vitest";

const SHOTS = fileURLToPath(new URL("../../.artifacts/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Visit {
  page: Page;
  /** What the page complained about: errors in the console and exceptions. Stays empty in a good journey. */
  complaints: string[];
}

export async function openDashboard(browser: Browser, url: string, scheme: "light" | "dark" = "light"): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  // What was to be seen when it went wrong is kept beside the other pictures.
  onTestFailed(async ({ task }) => {
    if (!page.isClosed()) await shoot(page, `failed-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}-${Date.now()}`);
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // A refused request is an answer some journeys ask for; the page itself tells it to the reader.
    if (message.type() === "error" && !message.text().includes("409")) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** Kept as CI artifacts, for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  // As high as the page is: what is drawn only when it comes near is drawn then.
  const before = page.viewportSize();
  const height: number = await page.evaluate("document.documentElement.scrollHeight");
  await page.setViewportSize({ width: before?.width ?? 1440, height: Math.max(height, before?.height ?? 0) });
  await page.evaluate(`(async () => {
    await document.fonts.ready;
    for (let frames = 0; frames < 4; frames += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  })()`);
  await shootAsItStands(page, name);
  if (before) await page.setViewportSize(before);
}

/** For a page without scripts: no frame is ever called back there. */
export async function shootAsItStands(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** WCAG A and AA by axe-core. The script comes in through the debugger, so the page's own policy stays as strict as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const violations: unknown = await page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })
      .then((results) => results.violations.map(({ id, nodes }) => id + ": " + nodes[0]?.html))`,
  );
  expect(violations).toEqual([]);
}
