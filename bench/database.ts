// The hub's database per device-day: growth, bytes written and loop stalls, against a row per heartbeat and against no database at all.
import { once } from "node:events";
import { started } from "./child.ts";
import type { Contestant, DayFigures, Task } from "./database-child.ts";
import { keep, LEAST_ROUNDS, medianRatio, mediansOf, pairedRounds, type Sample } from "./measure.ts";

const DEVICES = 60;
/** The first fills the day of minutes that is kept; the third is what every later one costs. */
const DAYS = 3;

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const samples = await pairedRounds(
    {
      hub: () => oneRound("hub"),
      "row per heartbeat": () => oneRound("row per heartbeat"),
      "no database": () => oneRound("nothing"),
    },
    rounds,
  );
  const [hub = [], rows = []] = Object.values(samples);
  await keep({
    bench: "database",
    rounds,
    medians: mediansOf(samples),
    ratios: {
      "grown in the first day": medianRatio(hub, rows, "firstDayGrownBytes"),
      "grown in a later day": medianRatio(hub, rows, "laterDayGrownBytes"),
      written: medianRatio(hub, rows, "writtenBytes"),
    },
    samples,
  });
}

async function oneRound(design: Contestant): Promise<Sample> {
  const task: Task = { design, devices: DEVICES, days: DAYS };
  const { child, first } = await started("database-child.ts", task);
  if (child.exitCode === null) await once(child, "exit");
  const { days } = JSON.parse(first) as { days: DayFigures[] };
  const [firstDay, lastDay] = [days[0], days.at(-1)];
  if (!firstDay || !lastDay) throw new Error(`${design} told no figures`);
  return {
    firstDayGrownBytes: firstDay.grownBytes,
    laterDayGrownBytes: lastDay.grownBytes,
    writtenBytes: lastDay.writtenBytes,
    stallP99Ms: lastDay.stallP99Ms,
    stallMaxMs: lastDay.stallMaxMs,
  };
}
