// `--wait`, `--until` and `--timeout`, the same for every command that makes a deployment.
import { Option, type Command } from "commander";
import { z } from "zod";
import type { Deployment } from "../answers.ts";
import type { Desk } from "../desk.ts";
import { endingOf, follow, type Look, lookAt, UNTIL, type Until } from "../follow.ts";
import type { HubClient } from "../hub-client.ts";
import { othersOf, watchOn, waveOf } from "../progress-view.ts";
import { parseDuration } from "../quantities.ts";
import { wrongUse } from "../exits.ts";

/** A timer of Node's ends at 2^31 ms; a longer one would go off at once. */
const LONGEST_WAIT_SECONDS = 24 * 86_400;

export const WaitOptions = z.object({
  wait: z.boolean().default(false),
  until: z.enum(UNTIL).optional(),
  timeout: z.string().default("1h").transform(parseTimeout),
});
export type WaitOptions = z.infer<typeof WaitOptions>;

function parseTimeout(text: string): number {
  const seconds = parseDuration(text);
  if (seconds <= LONGEST_WAIT_SECONDS) return seconds;
  throw wrongUse(`${text} is longer than anybody waits here.`, "--timeout may be 24d at most.");
}

export function withWaitOptions(command: Command, until: Until): Command {
  return withFollowOptions(command.option("-w, --wait", "follow it until it ends"), until);
}

const FORWARD = UNTIL.filter((point) => point !== "rolled-back");

export function withFollowOptions(command: Command, until: Until, points: readonly Until[] = FORWARD): Command {
  return command
    .addOption(
      new Option(
        "--until <point>",
        `how far to wait: ${points.join(", ").replace("approval", "approval (gate passed)")}; else ${until}`,
      ).choices(points),
    )
    .option("--timeout <duration>", "how long to wait: 90s, 30m, 2h (default: 1h)");
}

/** Shows what was made; follows it when asked to. */
export async function conclude(
  desk: Desk,
  hub: HubClient,
  deployment: Deployment,
  options: WaitOptions,
  until: Until,
): Promise<void> {
  const { out } = desk;
  if (!options.wait) return out.result(deployment, standing(deployment));
  out.note(`${deployment.id}: ${deployment.version} to ${deployment.groups.join(", ")}`);
  await conclusionOf(desk, hub, lookAt(hub, deployment.id), options, options.until ?? until);
}

export async function conclusionOf(
  desk: Desk,
  hub: HubClient,
  look: Look,
  { timeout: timeoutSeconds }: Pick<WaitOptions, "timeout">,
  until: Until,
): Promise<void> {
  const { out } = desk;
  desk.ifStopped(`Stopped watching; the deployment goes on. Again: ${look.again}`);
  const last = await follow(hub, look, { until, timeoutSeconds, watcher: watchOn(desk) });
  const hint = endingOf(last, "finished") === undefined ? [`next: ${nextOf(last)}`] : [];
  out.result(last, [...standing(last), ...hint]);
}

function nextOf({ id, kind, state, version }: Deployment): string {
  if (state === "soaking") return `it is being watched; context-edge deployments wait ${id} --until approval`;
  return kind === "pilot"
    ? `context-edge deploy --all --version ${version} --wait`
    : `context-edge deployments promote ${id} --wait`;
}

export function standing(deployment: Deployment): string[] {
  const { id, version, groups, state, state_reason, progress } = deployment;
  const counts = [
    `${progress.committed} of ${progress.total} devices committed`,
    othersOf(deployment),
    waveOf(deployment),
  ];
  return [
    `${version} to ${groups.join(", ")}: ${state}`,
    `  ${state_reason}`,
    `  ${counts.filter(Boolean).join("; ")}`,
    `  ${id}`,
  ];
}
