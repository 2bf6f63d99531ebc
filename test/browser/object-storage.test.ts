// A version out of use and in again, and a bucket that goes away and comes back, as a person sees it.
import { fileURLToPath } from "node:url";
import { type FakeS3, startFakeS3 } from "@context-edge/hub/testing/fake-s3.ts";
import { openTestHub, type TestHub } from "@context-edge/hub/testing/test-hub.ts";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, NO_CHROMIUM_NOTICE } from "./chromium.ts";
import { expectAccessible, openDashboard, shoot } from "./dashboard.ts";

const chromiumPath = findChromium();
if (chromiumPath === undefined) process.stderr.write(`${NO_CHROMIUM_NOTICE}\n`);

describe.runIf(chromiumPath !== undefined)("with an object store", () => {
  let browser: Browser;
  let fake: FakeS3;
  let hub: TestHub;
  let url: string;
  beforeAll(async () => {
    fake = await startFakeS3({ isOlder: true });
    hub = await openTestHub({
      HUB_DASHBOARD_DIR: fileURLToPath(new URL("../../dashboard/dist", import.meta.url)),
      S3_ENDPOINT: fake.endpoint,
      S3_BUCKETS: "models",
      S3_ACCESS_KEY_ID: "key",
      S3_SECRET_ACCESS_KEY: "secret",
    });
    for (const version of ["v1", "v2"]) {
      await hub.register(version);
      await hub.call("POST", `/mlops/models/${version}/approve`);
    }
    await hub.call("POST", "/api/v1/groups", { name: "line-1" });
    await hub.call("PUT", "/api/v1/groups/line-1/target", { version: "v2" });
    url = await hub.listen();
    browser = await launchChromium(chromiumPath ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.close();
    await fake?.close();
  });

  test("a version is archived after a question and taken back; one that a group needs is refused with the reason", async () => {
    const { page, complaints } = await openDashboard(browser, `${url}/models/v1`);
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByText("its files are removed after some days").waitFor();
    await shoot(page, "archive-dialog-light");
    await page.getByRole("button", { name: "Archive v1" }).click();
    await page.getByText("v1 is archived.").waitFor();
    await page.getByRole("button", { name: "Unarchive", exact: true }).click();
    await page.getByRole("button", { name: "Unarchive v1" }).click();
    await page.getByText("v1 waits for review again.").first().waitFor();
    await page.getByRole("heading", { name: /v1\s+pending/i }).waitFor();

    await page.goto(`${url}/models/v2`);
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByRole("button", { name: "Archive v2" }).click();
    await page.getByText("v2 is the target of line-1").waitFor();
    expect(complaints).toEqual([]);
  });

  test("a bucket that is away is told on the overview, and no more when it is back", async () => {
    fake.outage = 503;
    const { page, complaints } = await openDashboard(browser, url);
    await page.getByText("The hub cannot reach the files of the models.").waitFor();
    await expectAccessible(page);
    await shoot(page, "overview-without-bucket-light");
    fake.outage = null;
    await page.getByText("The hub cannot reach the files of the models.").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });
});
