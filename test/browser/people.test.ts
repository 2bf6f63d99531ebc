// People in a real browser: the first admin by the link of `user link`, signing out and in, what a viewer sees and cannot press, and secrets shown once.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
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
  let setUpSecret = "";
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "context-edge-browser-"));
    const env = {
      ...process.env,
      HUB_DATA: join(dir, "data"),
      HUB_AUTH: "accounts",
      HUB_PORT: "0",
      HUB_WEBHOOK_LOOPBACK: "true",
    };
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
    setUpSecret = /\/setup#(cel_[\w-]+)/.exec(told)?.[1] ?? "";
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
    await page.goto(`${base}/setup#${setUpSecret}`);
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

    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("button", { name: "Add somebody" }).click();
    await page.getByLabel("Name").fill("vera");
    await page.getByLabel("Role").last().selectOption("viewer");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("It works once, and it is not shown again.").waitFor();
    const link = (await page.getByTestId("copy-text").textContent()) ?? "";
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("combobox", { name: "Role of vera" }).waitFor();
    await expectAccessible(page);
    await shoot(page, "settings-people-light");

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("about:blank");
    await page.goto(`${base}/setup#${link.split("#")[1] ?? ""}`);
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
    // Not only the button: who asks past it is refused as well.
    const status: number = await page.evaluate(
      `fetch("/api/v1/groups", { method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "line-1" }) }).then((answer) => answer.status)`,
    );
    expect(status).toBe(403);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByText("Where you are signed in").waitFor();
    await page.getByRole("link", { name: "People" }).click();
    await page.getByText("People is for admins. You are signed in as viewer.").waitFor();
    await shoot(page, "viewer-refused-light");
    await page.context().close();
  });

  test("what is secret is shown once: a join token with its whole command, a token for scripts, a webhook that is tested at once", async () => {
    const { page, complaints } = await openDashboard(browser, `${base}/settings/devices`);
    await signIn(page);
    await page.getByRole("button", { name: "New join token" }).click();
    await page.getByLabel("Name").fill("line-3");
    await page.getByLabel("Devices it may let in").fill("12");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByText("Or the whole of what a Jetson with the agent installed needs").waitFor();
    const [token, command] = await page.getByTestId("copy-text").allTextContents();
    expect(token).toMatch(/^ce[a-z]_/);
    expect(command).toContain(token);
    await shoot(page, "join-token-light");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("cell", { name: "line-3" }).waitFor();
    expect(await page.getByText(token ?? "").count(), "gone from the page").toBe(0);

    await page.getByRole("link", { name: "Tokens" }).click();
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Name").fill("nightly-training");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByText("it is not shown again").waitFor();
    const secret = (await page.getByTestId("copy-text").textContent()) ?? "";
    await page.getByRole("button", { name: "Done" }).click();
    const asked = await fetch(`${base}/api/v1/devices`, { headers: { authorization: `Bearer ${secret}` } });
    expect(asked.status, "it works").toBeLessThan(500);
    expect(asked.status).not.toBe(401);
    await page.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("button", { name: "Revoke" }).last().click();
    await page.getByText("revoked", { exact: true }).waitFor();
    const refused = await fetch(`${base}/api/v1/devices`, { headers: { authorization: `Bearer ${secret}` } });
    expect(refused.status).toBe(401);
    await expectAccessible(page);
    await shoot(page, "settings-tokens-made-light");

    const arrived: string[] = [];
    const receiver = createServer((request, response) => {
      arrived.push(String(request.headers["webhook-id"]));
      response.end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    await page.getByRole("link", { name: "Webhooks" }).click();
    await page.getByRole("button", { name: "New webhook" }).click();
    await page.getByLabel("Address").fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
    await page.getByRole("button", { name: "Add the webhook" }).click();
    await page.getByText("Its signing secret, shown this once.").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Send a test" }).click();
    await expect.poll(() => arrived.length, { timeout: 20_000 }).toBe(1);
    await page.getByText("delivered").waitFor();
    await expectAccessible(page);
    await shoot(page, "settings-webhooks-made-light");
    receiver.close();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("who is signed in elsewhere sees it, and ends it from here", async () => {
    const left = await openDashboard(browser, base);
    await signIn(left.page);
    const { page } = await openDashboard(browser, `${base}/settings/account`);
    await signIn(page);
    await page.getByText("this one").waitFor();
    await expectAccessible(page);
    await shoot(page, "settings-account-light");
    await page.getByRole("button", { name: "Sign out everywhere else" }).click();
    await page.getByRole("button", { name: "Sign out everywhere else" }).last().click();
    await page.getByText(/sessions? ended/).waitFor();
    await left.page.getByRole("heading", { name: "Sign in" }).waitFor({ timeout: 60_000 });
  });

  async function signIn(page: Page): Promise<void> {
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill("a long password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("ada, admin").waitFor();
  }
});
