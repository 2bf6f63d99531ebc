// People in a real browser: the first admin by the link of `user link`, signing out and in, and what a viewer sees and cannot press.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";

const MAIN = fileURLToPath(new URL("../../hub/main.ts", import.meta.url));
const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

describe.runIf(chromiumPath !== undefined)("a hub with accounts", () => {
  let dir: string;
  let hub: ChildProcess;
  let browser: Browser;
  let base = "";
  let secret = "";
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "context-edge-browser-"));
    const env = { ...process.env, HUB_DATA: join(dir, "data"), HUB_AUTH: "accounts", HUB_PORT: "0" };
    hub = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    await new Promise<void>((resolve) => {
      hub.stdout?.on("data", (chunk) => {
        printed += String(chunk);
        base = /"address":"(http[^"]+)"/.exec(printed)?.[1] ?? "";
        if (base !== "") resolve();
      });
    });
    const told = execFileSync(process.execPath, [MAIN, "user", "link"], { env, encoding: "utf8", stdio: "pipe" });
    secret = /\/setup#(cel_[\w-]+)/.exec(told)?.[1] ?? "";
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    const ended = new Promise((resolve) => hub.once("exit", resolve));
    hub.kill("SIGTERM");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });

  test("the first admin comes by the link, signs out and in, and makes a viewer who may only look", async () => {
    const { page } = await openDashboard(browser, base);
    await page.getByText("Nobody has an account yet.").waitFor();
    await page.goto("about:blank");
    await page.goto(`${base}/setup#${secret}`);
    await page.getByRole("heading", { name: "Make the first account" }).waitFor();
    expect(page.url(), "the secret is out of the address at once").toBe(`${base}/setup`);
    await expectAccessible(page);
    await shoot(page, "set-up-light");
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("New password").fill("a long password");
    await page.getByLabel("The same again").fill("a long passwort");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("The two passwords differ.").waitFor();
    await page.getByLabel("The same again").fill("a long password");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("ada, admin").waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("do not belong to an account here").waitFor();
    await expectAccessible(page);
    await shoot(page, "sign-in-light");
    await page.getByLabel("Password").fill("a long password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("ada, admin").waitFor();

    const made: { setup_link: string } = await page.evaluate(
      `fetch("/api/v1/users", { method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "vera", role: "viewer" }) }).then((answer) => answer.json())`,
    );
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("about:blank");
    await page.goto(`${base}/setup#${made.setup_link.split("#")[1] ?? ""}`);
    await page.getByRole("heading", { name: "Set your password" }).waitFor();
    await page.getByLabel("New password").fill("vera's long password");
    await page.getByLabel("The same again").fill("vera's long password");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("vera, viewer").waitFor();
    await page.getByRole("link", { name: "Groups" }).click();
    const newGroup = page.getByRole("button", { name: "New group" });
    await newGroup.waitFor();
    expect(await newGroup.isDisabled()).toBe(true);
    expect(await newGroup.getAttribute("title")).toContain("Viewers cannot make groups");
  });
});
