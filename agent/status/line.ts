// What the agent says of itself in one line, for `systemctl status`.
import type { Agent } from "../agent.ts";
import { foremostPhase } from "../core/observed.ts";
import { phaseOf } from "../core/state.ts";

export function statusLine({ opened, link }: Pick<Agent, "opened" | "link">): string {
  const latest = opened().map((worker) => worker.latest());
  const phase = foremostPhase(latest.map(({ journal }) => phaseOf(journal.transaction)));
  const runs = latest.map(({ model, disk }) => {
    const { current } = disk;
    return `${model} ${current.is === "file" ? current.version : `(${current.is})`}`;
  });
  const hub = link.state === "answering" ? "" : link.state === "never" ? "; hub not reached yet" : "; hub not reached";
  return `${phase}: ${runs.join(", ") || "no model yet"}${hub}`;
}
