// Swaps the current link to and fro by the agent's own `pointLink` and times each swap.
import { pointLink } from "../agent/effects/slots.ts";

const { link, files, swaps } = JSON.parse(process.argv[2] ?? "{}") as { link: string; files: string[]; swaps: number };
const times: number[] = [];
for (let swap = 0; swap < swaps; swap += 1) {
  const startedAt = performance.now();
  await pointLink(link, files[swap % files.length] ?? null);
  times.push(performance.now() - startedAt);
}
console.log(JSON.stringify(times));
