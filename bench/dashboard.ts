// The dashboard in Chromium: when it first paints, how much JavaScript that takes, and how long interactions take with 5,000 devices that change, beside 8.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, findChromium, launchChromium, NO_CHROMIUM_NOTICE, type Page } from "../test/browser/chromium.ts";
import { type Orders, obedient, SERVER_CORE } from "./beside.ts";
import { keep, LEAST_ROUNDS, mediansOf, medianRatio, pairedRounds, quantile, type Sample } from "./measure.ts";

/** Devices, groups. Both get the same 1,000 changes a second. */
const FLEETS = { "8 devices": [8, 2], "5,000 devices": [5_000, 50] } as const;

/**
 * Event Timing: from the press of a key or button to the next picture, in steps of 8 ms. Below 16 ms the browser tells nothing.
 * https://www.w3.org/TR/event-timing/
 */
const OBSERVE = `window.took = new Map();
new PerformanceObserver((list) => {
  for (const { interactionId, duration } of list.getEntries())
    if (interactionId) window.took.set(interactionId, Math.max(duration, window.took.get(interactionId) ?? 0));
}).observe({ type: "event", durationThreshold: 16, buffered: true });`;

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) {
    console.log(NO_CHROMIUM_NOTICE);
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), "context-edge-dashboard-"));
  const hubs: Orders[] = [];
  const browser = await launchChromium(chromium);
  try {
    const contestants: Record<string, () => Promise<Sample>> = {};
    for (const [name, [devices, lines]] of Object.entries(FLEETS)) {
      const task = { dir: join(dir, String(devices)), devices, lines, group: "line", dashboard: true };
      const hub = await obedient("hub-child.ts", task, SERVER_CORE);
      hubs.push(hub);
      contestants[name] = () => oneRound(browser, hub);
    }
    const samples = await pairedRounds(contestants, rounds);
    const many = samples["5,000 devices"] ?? [];
    const few = samples["8 devices"] ?? [];
    const ratios = Object.fromEntries(
      ["firstPaintMs", "shownMs", "interactionP75Ms", "interactionMaxMs"].map((key) => [
        `${key}, 5,000 against 8`,
        medianRatio(many, few, key),
      ]),
    );
    await keep({ bench: "dashboard", rounds, medians: mediansOf(samples), ratios, samples });
  } finally {
    await browser.close();
    for (const hub of hubs) await hub.end();
    await rm(dir, { recursive: true, force: true });
  }
}

/** A browser that has seen nothing yet. */
async function oneRound(browser: Browser, hub: Orders): Promise<Sample> {
  const context = await browser.newContext({ viewport: { width: 1_440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(OBSERVE);
    await page.goto(`http://127.0.0.1:${String(hub.first["port"])}/`);
    await page.getByRole("heading", { name: "Fleet" }).waitFor();
    const opened = await page.evaluate<{ shownMs: number; firstPaintMs: number; scriptBytes: number }>(`({
      shownMs: performance.now(),
      firstPaintMs: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      scriptBytes: performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    })`);
    await hub.ask({ do: "drive" });
    const took = await interact(page);
    return {
      ...opened,
      interactions: took.length,
      interactionP75Ms: quantile(took, 0.75),
      interactionMaxMs: Math.max(...took),
    };
  } finally {
    await hub.ask({ do: "rest" });
    await context.close();
  }
}

/** What an engineer does all day: pages by the rail, finding, narrowing, ordering, opening one, going back. */
async function interact(page: Page): Promise<number[]> {
  const rail = (name: string) => page.getByRole("navigation").first().getByRole("link", { name }).click();
  const title = (name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  for (let time = 0; time < 2; time += 1) {
    await rail("Devices");
    await title("Devices");
    await page.getByLabel("Find a device").pressSequentially("edge-0000");
    await page.getByText(/^\d+ of [\d\s,.]+ devices$/).waitFor();
    await page.getByLabel("Find a device").press("Control+a");
    await page.getByLabel("Find a device").press("Delete");
    await page.getByLabel("Order").selectOption("seen");
    const more = page.getByRole("button", { name: /^Show \d+ more/ });
    if (await more.count()) await more.click();
    await page.getByRole("row").nth(2).getByRole("link").first().click();
    await title(/^edge-/);
    await rail("Groups");
    await title("Groups");
    await rail("Overview");
    await title("Overview");
  }
  // Told after the picture it waited for.
  await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))`);
  const took = await page.evaluate<number[]>("[...window.took.values()]");
  if (took.length === 0) throw new Error("the browser told of no interaction");
  return took;
}
