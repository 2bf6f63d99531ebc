// RestartUnit over a real dbus-daemon, against a fake systemd: start limits, queued jobs, crash loops, missing rights.
import { describe, expect, test } from "vitest";
import { DBUS_DAEMON, type FakeSystemd, fakeSystemd } from "../../testing/fake-systemd.ts";
import { UNIT } from "../../testing/reloadable.ts";
import { eventually } from "../../testing/test-device.ts";
import { dbusReloader } from "./dbus.ts";

if (DBUS_DAEMON === undefined) console.log("dbus.test.ts: not run, dbus-daemon is not installed");
const file = { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) };
const never = new AbortController().signal;
const reload = ({ address }: Pick<FakeSystemd, "address">, budgetMs = 10_000, given: typeof file | null = file) =>
  dbusReloader(UNIT, address).reload({ model: "default", file: given, link: "/models/current.trt", budgetMs }, never);

describe.runIf(DBUS_DAEMON)("the D-Bus reloader", () => {
  test("has a start limit forgotten before it restarts the unit", async () => {
    const systemd = await fakeSystemd();
    expect(await reload(systemd)).toEqual({ ok: true });
    expect(systemd.calls).toEqual([`ResetFailedUnit ${UNIT}`, `RestartUnit ${UNIT}`]);
  });

  test("does not take the old process, still active while the job is queued, for the new one", async () => {
    const systemd = await fakeSystemd();
    systemd.isQueued = true;
    expect(await reload(systemd, 600)).toMatchObject({ ok: false });
    const pending = reload(systemd);
    await eventually(
      "the restart is queued",
      () => systemd.calls.filter((call) => call.startsWith("Restart")).length === 2,
    );
    systemd.isQueued = false;
    expect(await pending).toEqual({ ok: true });
  });

  test("does not take the failure of the old process for one of the new", async () => {
    const systemd = await fakeSystemd();
    systemd.isQueued = true;
    systemd.unit = { activeState: "failed", subState: "failed", restarts: 5 };
    const pending = reload(systemd);
    await eventually("the restart is queued", () => systemd.calls.length === 2);
    systemd.isQueued = false;
    expect(await pending).toEqual({ ok: true });
  });

  test("stops a service that shall serve nothing", async () => {
    const systemd = await fakeSystemd();
    expect(await reload(systemd, 10_000, null)).toEqual({ ok: true });
    expect(systemd.calls.at(-1)).toBe(`StopUnit ${UNIT}`);
  });

  test("fault 42: tells a unit that fails or ends again and again at once, not after the whole budget", async () => {
    const systemd = await fakeSystemd();
    systemd.onRestart = () => (systemd.unit = { activeState: "activating", subState: "auto-restart", restarts: 3 });
    expect(await reload(systemd, 60_000)).toMatchObject({
      mishap: { message: expect.stringContaining("again 3 times") },
    });
    systemd.onRestart = () => (systemd.unit = { activeState: "failed", subState: "failed", restarts: 0 });
    expect(await reload(systemd, 60_000)).toMatchObject({ mishap: { message: expect.stringContaining("gave up") } });
  });

  test("fault 42: sees a loop that begins after a good reload, and none in restarts of long ago", async () => {
    const systemd = await fakeSystemd();
    const reloader = dbusReloader(UNIT, systemd.address);
    systemd.unit.restarts = 7;
    expect(await reloader.isCrashing?.(never)).toBeNull();
    systemd.unit.restarts = 8;
    expect(await reloader.isCrashing?.(never)).toBeNull();
    systemd.unit.restarts = 9;
    expect(await reloader.isCrashing?.(never)).toContain("again 2 times");
  });

  test.each(["org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "org.freedesktop.DBus.Error.AccessDenied"])(
    "tells which right is missing when systemd or AppArmor answers %s",
    async (denied) => {
      const result = await reload(Object.assign(await fakeSystemd(), { denied }));
      expect(result).toMatchObject({ mishap: { message: expect.stringMatching(/root or a polkit rule/) } });
    },
  );

  test("tells a unit that does not exist by its setting, and asks for no restart", async () => {
    const systemd = Object.assign(await fakeSystemd(), { loadState: "not-found" });
    expect(await reload(systemd)).toMatchObject({ mishap: { nextStep: expect.stringContaining("AGENT_UNIT") } });
    const reloader = dbusReloader(UNIT, systemd.address);
    expect(await reloader.obstacle?.(never)).toMatchObject({ message: expect.stringContaining(`no unit ${UNIT}`) });
    systemd.loadState = "loaded";
    expect(await reloader.obstacle?.(never)).toBeNull();
    expect(systemd.calls).toEqual([]);
  });
});

test.each(["unix:path=/no/such/bus", "nonsense", "unix:", ""])(
  "a bus at '%s' is told, and no crash of the agent",
  async (address) => {
    expect(await reload({ address })).toMatchObject({ ok: false, mishap: { message: expect.stringContaining(UNIT) } });
    expect(await dbusReloader(UNIT, address).isCrashing?.(never)).toBeNull();
    expect(await dbusReloader(UNIT, address).obstacle?.(never)).toMatchObject({ code: "RELOADER_UNREACHABLE" });
  },
);
