// Deployments in steps through the API: waves, groups in order, schedule, promotion, thresholds, deadlines, previews.
import { isInWave, Manifest, peekPayload, type Deployment, type Envelope } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestHub, until, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let devices: Map<string, TestDevice>;
let turned: number;
const HOUR_MS = 3_600_000;

beforeEach(async () => {
  turned = 0;
  hub = await openTestHub({ HUB_QUARANTINE_AFTER: "90" }, () => Date.now() + turned);
  for (const version of ["v1", "v2", "v3"]) await hub.register(version);
  devices = new Map();
  for (const group of ["line-a", "line-b"]) {
    for (let index = 0; index < 4; index += 1) {
      const id = `${group}-${index}`;
      devices.set(id, await hub.enroll(id, group));
    }
  }
  await hub.call("POST", "/mlops/models/v1/deploy-all", { override: { reason: "first start" } });
  await reports(() => "v1");
});
afterEach(() => hub.close());

async function reports(versionOf: (id: string) => string, ids: Iterable<string> = devices.keys()): Promise<void> {
  for (const id of ids) await devices.get(id)?.report(versionOf(id));
}
const read = async (id: string) => (await hub.call("GET", `/api/v1/deployments/${id}`)).body as unknown as Deployment;
const becomes = (id: string, state: Deployment["state"], step?: number) =>
  until(async () => {
    const now = await read(id);
    return now.state === state && (step === undefined || now.step === step) && now;
  });
/** Devices that are away do not hold it: it may have ended by the time somebody looks. */
const begins = (id: string) => until(async () => ["running", "finished"].includes((await read(id)).state));
async function create(body: object): Promise<Deployment> {
  const answer = await hub.call("POST", "/api/v1/deployments", { version: "v2", ...body });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body as unknown as Deployment;
}
const waveOf = ({ id, shares }: Deployment, group: string) =>
  [...devices.keys()].filter((device) => device.startsWith(group) && isInWave(device, id, shares[group] ?? 0));
const keep = (device: string, deployment_id: string, version = "v2") =>
  devices.get(device)?.report(version, { deployment_id, outcome: "committed" });
const lose = (device: string, deployment_id: string) =>
  devices.get(device)?.report("v1", { deployment_id, version: "v2", outcome: "rolled-back", code: "NOT_READY" });
const targetOf = async (group: string) => {
  const { targets } = (await hub.call("GET", `/api/v1/groups/${group}`)).body as { targets: Deployment["previous"] };
  return (targets["default"] as unknown as { version: string }).version;
};

test("groups get their turn one after the other, each in its waves, and every step waits for its gate", async () => {
  const waves = [{ count: 1 }, { share: 1 }];
  const made = await create({ groups: ["line-a", "line-b"], waves, promote: "automatic", gate: { soak_seconds: 0 } });
  const first = await read(made.id);
  expect(waveOf(first, "line-a")).toHaveLength(1);
  expect(await targetOf("line-b")).toBe("v1");
  expect(first.progress).toMatchObject({ total: 8, pending: 1, waiting: 7 });

  for (const device of waveOf(first, "line-a")) await keep(device, made.id);
  const second = await becomes(made.id, "running", 1);
  expect(waveOf(second, "line-a")).toHaveLength(4);
  for (const device of waveOf(second, "line-a")) await keep(device, made.id);
  const third = await becomes(made.id, "running", 2);
  expect(await targetOf("line-b")).toBe("v2");
  expect(waveOf(third, "line-b")).toHaveLength(1);
  for (const device of waveOf(third, "line-b")) await keep(device, made.id);
  await becomes(made.id, "running", 3);
  for (const device of devices.keys()) if (device.startsWith("line-b")) await keep(device, made.id);
  expect((await becomes(made.id, "finished")).progress).toMatchObject({ total: 8, committed: 8 });
});

test("fault 71: a bad wave reaches no more devices than itself, and whoever waits at the hub is told with the halt", async () => {
  const made = await create({ groups: ["line-a", "line-b"], waves: [{ count: 2 }, { share: 1 }] });
  const wave = waveOf(made, "line-a");
  const other = devices.get([...devices.keys()].find((id) => id.startsWith("line-a") && !wave.includes(id)) ?? "");
  const poll = (more: Record<string, string> = {}) =>
    hub.app.inject({ url: "/device/v1/manifest", headers: { ...other?.headers, ...more } });
  const before = await poll();
  const waiting = poll({ "if-none-match": String(before.headers["etag"]), prefer: "wait=30" });
  await lose(wave[0] ?? "", made.id);
  const told = peekPayload((await waiting).json<Envelope>(), Manifest);
  expect(told?.models[0]).toMatchObject({ paused: true, target: { version: "v2" } });
  const halted = await becomes(made.id, "paused");
  expect(halted.state_reason).toMatch(/Halted: 1 of 2 devices did not keep it \(NOT_READY\)/);
  expect(halted.shares).toEqual(made.shares);
  expect(await targetOf("line-b")).toBe("v1");
});

test("where it was chosen, a bad wave is rolled back by the hub itself", async () => {
  const made = await create({ groups: ["line-a"], waves: [{ count: 2 }, { share: 1 }], on_fail: "roll-back" });
  const wave = waveOf(made, "line-a");
  await keep(wave[1] ?? "", made.id);
  await lose(wave[0] ?? "", made.id);
  await becomes(made.id, "rolling-back");
  expect(await targetOf("line-a")).toBe("v1");
  await reports(() => "v1");
  await becomes(made.id, "rolled-back");
});

test("a promotion by hand waits for the gate, or takes an override with a reason, to the next step or to the end", async () => {
  const waves = [{ count: 1 }, { count: 2 }, { share: 1 }];
  const made = await create({ groups: ["line-a"], waves, gate: { soak_seconds: 3_600 } });
  const promote = (body: object) => hub.call("POST", `/api/v1/deployments/${made.id}/promote`, body);
  for (const device of waveOf(made, "line-a")) await keep(device, made.id);
  await becomes(made.id, "soaking");
  const refused = await promote({});
  expect(refused).toMatchObject({ status: 409, body: { code: "GATE_NOT_MET" } });
  expect(JSON.stringify(refused.body["context"])).toMatch(/watched for \d+ s of 60 min/);
  expect(await promote({ override: { reason: "asked by the line" } })).toMatchObject({
    status: 200,
    body: { step: 1 },
  });

  for (const device of waveOf(await read(made.id), "line-a")) await keep(device, made.id);
  await becomes(made.id, "soaking");
  turned += 2 * HOUR_MS;
  await reports((id) => (waveOf(made, "line-a").includes(id) ? "v2" : "v1"), []);
  const ready = await becomes(made.id, "awaiting-approval");
  expect(ready.gate?.conditions.find(({ name }) => name === "soak")).toMatchObject({ verdict: "pass" });
  expect(await promote({ to: "end" })).toMatchObject({ status: 200, body: { step: 2, shares: { "line-a": 1 } } });
  const kinds = ((await hub.call("GET", "/api/v1/audit")).body["items"] as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(["gate.overridden", "gate.passed", "deployment.promoted"]));
});

test("a scheduled deployment begins at its time and not before; a draft when somebody starts it", async () => {
  const start_at = new Date(Date.now() + HOUR_MS).toISOString();
  const later = await create({ groups: ["line-a"], start_at });
  const draft = await create({ groups: ["line-b"], version: "v3", draft: true });
  expect([later.state, draft.state]).toEqual(["scheduled", "draft"]);
  expect([await targetOf("line-a"), await targetOf("line-b")]).toEqual(["v1", "v1"]);
  expect((await hub.call("POST", `/api/v1/deployments/${draft.id}/start`)).status).toBe(200);
  await begins(draft.id);
  expect(await targetOf("line-b")).toBe("v3");
  expect((await read(later.id)).state).toBe("scheduled");
  turned += HOUR_MS + 1_000;
  await begins(later.id);
  expect(await targetOf("line-a")).toBe("v2");
});

test("a draft with a time waits for it once it is started, and begins at once when it is started again", async () => {
  const start_at = new Date(Date.now() + HOUR_MS).toISOString();
  const draft = await create({ groups: ["line-a"], draft: true, start_at });
  const start = () => hub.call("POST", `/api/v1/deployments/${draft.id}/start`);
  expect((await start()).body).toMatchObject({ state: "scheduled", plan: { start_at } });
  expect(await targetOf("line-a")).toBe("v1");
  expect((await start()).status).toBe(200);
  await begins(draft.id);
  expect(await targetOf("line-a")).toBe("v2");
});

test("a group that was given another target since is not taken over; resuming says that it may be", async () => {
  const start_at = new Date(Date.now() + HOUR_MS).toISOString();
  const later = await create({ groups: ["line-a"], start_at });
  await hub.call("PUT", "/api/v1/groups/line-a/target", { version: "v3" });
  turned += HOUR_MS + 1_000;
  expect((await becomes(later.id, "paused")).state_reason).toMatch(/line-a was changed by somebody else/);
  expect(await targetOf("line-a")).toBe("v3");
  await hub.call("POST", `/api/v1/deployments/${later.id}/resume`);
  await begins(later.id);
  expect(await targetOf("line-a")).toBe("v2");
});

test("a device that stays silent in a phase past its deadline counts as failed, and as a success when it comes back with one", async () => {
  // 60 ms: what is waited for is counted from look to look, and not by a clock that a test could turn.
  const made = await create({ groups: ["line-a"], max_bad: { count: 1 }, deadlines: { idle: 0.001 } });
  const [silent = "", ...others] = waveOf(made, "line-a");
  for (const device of others) await keep(device, made.id);
  const ended = await becomes(made.id, "finished");
  expect(ended.progress).toMatchObject({ committed: 3, failed: 1 });
  expect(ended.timed_out[silent]).toMatchObject({ phase: "idle" });
  await keep(silent, made.id);
  expect((await read(made.id)).progress).toMatchObject({ committed: 4, failed: 0 });
});

test("offline and incompatible devices never hold a deployment open, and a late one converges", async () => {
  turned += HOUR_MS;
  const here = [...devices.keys()].filter((id) => id.startsWith("line-a")).slice(0, 2);
  const gone = [...devices.keys()].filter((id) => id.startsWith("line-a")).slice(2);
  await reports(() => "v1", here);
  const made = await create({ groups: ["line-a"] });
  await keep(here[0] ?? "", made.id);
  await devices.get(here[1] ?? "")?.report("v1", {
    deployment_id: made.id,
    version: "v2",
    outcome: "rejected",
    code: "NO_COMPATIBLE_VARIANT",
  });
  const ended = await becomes(made.id, "finished");
  expect(ended.progress).toMatchObject({ committed: 1, incompatible: 1, offline: 2 });
  await keep(gone[0] ?? "", made.id);
  expect((await read(made.id)).progress).toMatchObject({ committed: 2, offline: 1 });
});

test("a preview says who has no fitting variant, changes nothing, and its id brings the very waves it showed", async () => {
  const body = { version: "v2", groups: ["line-a", "line-b"], waves: [{ count: 2 }, { share: 1 }] };
  const preview = (await hub.call("POST", "/api/v1/deployments/preview", body)).body;
  expect(preview).toMatchObject({
    sentence: "All 8 devices have a fitting variant.",
    devices_total: 8,
    fitting: 8,
    groups: [{ group: "line-a", from: "v1", devices: 4 }, { group: "line-b" }],
  });
  expect((await hub.call("GET", "/api/v1/deployments")).body["items"]).toHaveLength(1);
  const steps = preview["steps"] as { devices: string[] }[];
  expect(steps.map((step) => step.devices.length)).toEqual([2, 2, 2, 2]);
  const made = await create({ ...body, id: preview["id"] });
  expect(waveOf(made, "line-a").toSorted()).toEqual(steps[0]?.devices.toSorted());
  expect(await hub.call("POST", "/api/v1/deployments", { ...body, id: preview["id"] })).toMatchObject({ status: 409 });
});

test.each([
  ["an unknown group", { groups: ["nowhere"] }, 404, "GROUP_UNKNOWN"],
  ["a group twice", { groups: ["line-a", "line-a"] }, 400, "BAD_REQUEST"],
  ["a wave of nobody", { groups: ["line-a"], waves: [{ share: 0 }] }, 400, "BAD_REQUEST"],
  ["waves that shrink", { groups: ["line-a"], waves: [{ share: 0.5 }, { share: 0.1 }] }, 400, "BAD_REQUEST"],
  ["an unknown version", { groups: ["line-a"], version: "v9" }, 404, "VERSION_UNKNOWN"],
])("%s is refused before anything is made", async (_title, body, status, code) => {
  const answer = await hub.call("POST", "/api/v1/deployments", { version: "v2", ...body });
  expect(answer).toMatchObject({ status, body: { code } });
  expect((await hub.call("GET", "/api/v1/deployments")).body["items"]).toHaveLength(1);
});
