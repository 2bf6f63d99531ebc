// What Prometheus reads of a tallied histogram is what prom-client's own would have said.
import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { TalliedHistogram } from "./tallied-histogram.ts";

const config = { name: "seconds", help: "Time it took.", buckets: [0.001, 0.01, 0.1] };

test.each([
  ["nothing", []],
  ["values between, on and beyond the bounds", [0.0001, 0.001, 0.0011, 0.01, 0.05, 0.1, 0.1001, 7]],
])("tells of %s, word for word, what prom-client's own does", async (_title, values) => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const tallied = new TalliedHistogram({ ...config, registers: [ours] });
  const own = new Histogram({ ...config, registers: [theirs] });
  for (const value of values) {
    tallied.tally(value);
    own.observe(value);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  // Theirs also says of each bucket that it has no exemplar.
  expect(await theirs.getMetricsAsJSON()).toMatchObject(await ours.getMetricsAsJSON());
});
