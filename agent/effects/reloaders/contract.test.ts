// One contract for every reloader: a good reload is ok, everything else is a mishap with code, words and a next step, in time.
import { describe, expect, test } from "vitest";
import { DBUS_DAEMON } from "../../testing/fake-systemd.ts";
import { type MakeReloadable, type Reloadable, RELOADABLE, slot } from "../../testing/reloadable.ts";
import { eventually } from "../../testing/test-device.ts";

if (DBUS_DAEMON === undefined) console.log("contract.test.ts: D-Bus not tested, dbus-daemon is not installed");
const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;
const CASES = Object.entries(RELOADABLE).filter(([name]) => name !== "dbus" || DBUS_DAEMON !== undefined);

const reload = (
  { reloader }: Reloadable,
  link: string,
  {
    given = file,
    budgetMs = 10_000,
    signal = never,
  }: { given?: typeof file | null; budgetMs?: number; signal?: AbortSignal } = {},
) => reloader.reload({ model: "default", file: given, link, budgetMs }, signal);

describe.each(CASES)("the %s reloader", (_name, make: MakeReloadable) => {
  test("has the service serve the file the link leads to, and the older one again", async () => {
    const { link, swapTo } = await slot();
    const service = await make(link, "obedient");
    for (const content of ["v2.0", "v2.1", "v2.0"]) {
      await swapTo(`model-${content}.trt`, content);
      expect(await reload(service, link)).toEqual({ ok: true });
      await eventually(`${content} is served`, () => service.served() === content);
    }
  });

  test("is content when the service is to serve nothing", async () => {
    const { link } = await slot();
    const service = await make(link, "obedient");
    expect(await reload(service, link, { given: null })).toEqual({ ok: true });
    expect(service.served()).toBeNull();
  });

  test("says nothing of a crash loop while nothing speaks for one", async () => {
    const { link } = await slot();
    const { reloader } = await make(link, "obedient");
    expect((await reloader.isCrashing?.(never)) ?? null).toBeNull();
  });
});

/** Nothing can fail where nothing is asked. */
const ASKING = CASES.filter(([name]) => name !== "none");
describe.each(ASKING)("the %s reloader", (_name, make: MakeReloadable) => {
  test("tells a refusal with a code, words and what to do", async () => {
    const { link, swapTo } = await slot();
    await swapTo("model-v2.1.trt", "v2.1");
    const result = await reload(await make(link, "refusing"), link);
    if (result.ok) throw new Error("it was not refused");
    expect(result.mishap).toMatchObject({ code: "RELOAD_FAILED", kind: "passing" });
    expect(result.mishap.message.length).toBeGreaterThan(20);
    expect(result.mishap.nextStep.length).toBeGreaterThan(20);
  });

  test("gives up a service that never comes up when its time is over", async () => {
    const { link, swapTo } = await slot();
    await swapTo("model-v2.1.trt", "v2.1");
    const result = await reload(await make(link, "silent"), link, { budgetMs: 400 });
    expect(result).toMatchObject({ ok: false, mishap: { kind: "passing" } });
  });

  test("lets go when the agent is stopped, and then only throws what the signal says", async () => {
    const { link, swapTo } = await slot();
    await swapTo("model-v2.1.trt", "v2.1");
    const service = await make(link, "silent");
    const stop = new AbortController();
    const pending = reload(service, link, { budgetMs: 600_000, signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(pending).rejects.toThrow(/abort/i);
  });
});
