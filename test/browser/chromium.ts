// Whatever Chromium this machine has; without one the journeys are skipped, and say so.
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

export type { Browser, Page } from "playwright-core";

/** @returns undefined when there is none: CHROMIUM_PATH, then Debian's, then Playwright's own. */
export function findChromium(): string | undefined {
  const candidates = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/google-chrome", playwrightsOwn()];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

function playwrightsOwn(): string | undefined {
  try {
    return chromium.executablePath();
  } catch {
    return undefined;
  }
}

export const NO_CHROMIUM_NOTICE =
  "SKIPPED: the browser journeys need Chromium. Install Debian's package `chromium` or set CHROMIUM_PATH.";

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}
