// Figures over time through a whole hub whose clock is turned: charts, swaps, labels, rollups and retention.
import type { Series } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CountingHub, DAY, HOUR, MINUTE, openCountingHub, START } from "./testing/counting-hub.ts";
import { type TestHub } from "./testing/test-hub.ts";

let counting: CountingHub;
let hub: TestHub;
let clock: CountingHub["clock"];
const minutes: CountingHub["minutes"] = (...more) => counting.minutes(...more);
const series: CountingHub["series"] = (query) => counting.series(query);
beforeEach(async () => {
  counting = await openCountingHub();
  ({ hub, clock } = counting);
});
afterEach(() => hub.close());

const predictionsIn = ({ points }: Series) => points.reduce((sum, point) => sum + (point.predictions ?? 0), 0);

test("each minute's predictions, errors and sensors are there at once, by the hub's clock", async () => {
  await minutes(4);
  for (const scope of ["device=edge-001", "group=line", "version=v1", ""]) {
    const { resolution, points } = await series(`${scope}&from=${new Date(START).toISOString()}`);
    expect(resolution).toBe("minute");
    // The first report only says where the counters stand.
    expect(points.map(({ at, predictions, errors }) => [at, predictions, errors])).toEqual([
      ["2026-03-01T00:02:00.000Z", 10, 0],
      ["2026-03-01T00:03:00.000Z", 10, 1],
    ]);
    expect(points[0]).toMatchObject({ avg_ms: 8, error_share: 0 });
  }
  clock.ms += MINUTE;
  const heat = await series("kind=telemetry&device=edge-001");
  expect(heat.points).toHaveLength(4);
  expect(heat.points[0]).toMatchObject({ temperature_c: 50, temperature_max_c: 50, power_w: 12, gpu_percent: 50 });
  expect(predictionsIn(await series("device=edge-001"))).toBe(30);
  expect(predictionsIn(await series("device=edge-001&version=v2"))).toBe(0);
});

test("the day is rolled up once it is over, its minutes are deleted, and no prediction is lost or doubled", async () => {
  await minutes(26 * 12, 5 * MINUTE);
  const total = 10 * (26 * 12 - 1);
  const range = `device=edge-001&from=${new Date(START).toISOString()}`;
  const sums = async () => [
    predictionsIn(await series(`${range}&resolution=hour`)),
    predictionsIn(await series(`${range}&resolution=day`)),
  ];
  clock.ms += MINUTE;
  expect(await sums()).toEqual([total, total]);
  await hub.hub.janitor.round();
  expect(await hub.hub.store.series.rolledUpTo()).toBe(START + DAY);
  expect(await sums()).toEqual([total, total]);
  expect((await series(`${range}&resolution=hour`)).points).toHaveLength(27);
  expect(await hub.hub.store.series.oldest("minute")).toBeGreaterThan(START);

  // Long after, only days are left of it.
  clock.ms += 40 * DAY;
  await hub.hub.janitor.round();
  await hub.hub.janitor.round();
  expect(await hub.hub.store.series.oldest("minute")).toBeNull();
  expect(await hub.hub.store.series.oldest("hour")).toBeNull();
  expect(predictionsIn(await series(`${range}&resolution=auto`))).toBe(total);
  expect((await series(range)).resolution).toBe("day");
  clock.ms += 500 * DAY;
  await hub.hub.janitor.round();
  clock.ms += HOUR;
  await hub.hub.janitor.round();
  expect(await hub.hub.store.series.oldest("day")).toBeNull();
}, 60_000);

test("a swap is marked at the moment the hub heard of it", async () => {
  await minutes(2);
  await hub.call("PUT", "/api/v1/groups/line/target", { version: "v1" });
  const { items } = (await hub.call("GET", "/api/v1/deployments")).body as { items: { id: string }[] };
  const deployment_id = items[0]?.id ?? "";
  await counting.device.report("v1", { deployment_id, outcome: "committed", at: "1970-01-01T00:00:00.000Z" });
  clock.ms += MINUTE;
  const expected = {
    at: new Date(START + 2 * MINUTE).toISOString(),
    device: "edge-001",
    kind: "committed",
    version: "v1",
  };
  for (const scope of [
    "device=edge-001",
    "group=line",
    `deployment=${deployment_id}&from=${new Date(START).toISOString()}`,
  ])
    expect((await series(scope)).marks).toMatchObject([expected]);
  expect((await series(`device=edge-001&model=other`)).marks).toEqual([]);
});

test.each([
  ["device=nobody", 404, "DEVICE_UNKNOWN"],
  ["group=nobody", 404, "GROUP_UNKNOWN"],
  ["deployment=nobody", 404, "DEPLOYMENT_UNKNOWN"],
  ["device=edge-001&group=line", 400, "BAD_REQUEST"],
  ["from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", 400, "BAD_REQUEST"],
  ["kind=other", 400, "BAD_REQUEST"],
])("a question for %s is answered by %i %s", async (query, status, code) => {
  expect(await hub.call("GET", `/api/v1/series?${query}`)).toMatchObject({ status, body: { code } });
});

test("however long the range, an answer holds at most 1,500 points and says that it was cut", async () => {
  clock.ms += 400 * DAY;
  const answer = await series(`resolution=minute&from=${new Date(START).toISOString()}`);
  expect(answer.truncated).toBe(true);
  expect(Date.parse(answer.to) - Date.parse(answer.from)).toBeLessThanOrEqual(1_500 * MINUTE);
});

test("labelled accuracy over time comes with its intervals, and no labels prove nothing", async () => {
  const label = (id: number, hour: number, actual: string) => ({
    device_id: "edge-001",
    prediction_id: `p${id}`,
    predicted: "normal",
    actual,
    at: new Date(START + hour * HOUR).toISOString(),
  });
  const outcomes = Array.from({ length: 20 }, (_, id) => label(id, id < 10 ? 1 : 30, id === 3 ? "hot" : "normal"));
  await hub.call("POST", "/mlops/deployment/v1/outcomes", { outcomes });
  clock.ms += 3 * DAY;
  const { body } = await hub.call("GET", `/api/v1/series/labels?version=v1&from=${new Date(START).toISOString()}`);
  expect(body).toMatchObject({
    resolution: "hour",
    points: [
      { at: "2026-03-01T01:00:00.000Z", labelled: 10, accuracy: { share: 0.9 }, false_negative: { share: 1 } },
      {
        at: "2026-03-02T06:00:00.000Z",
        labelled: 10,
        accuracy: { share: 1, high: 1 },
        false_negative: { share: null },
      },
    ],
  });
  const { low } = (body["points"] as { accuracy: { low: number } }[])[1]?.accuracy ?? { low: 1 };
  expect(low).toBeLessThan(0.8);
  expect((await hub.call("GET", "/api/v1/series/labels?version=v9")).status).toBe(404);
});
