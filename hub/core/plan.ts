// A deployment's plan: groups in order and waves become steps, and a step becomes the share of each group that has had its turn.
import {
  wavePlace,
  type CreateDeploymentRequest,
  type GatePolicy,
  type Plan,
  type Step,
  type WaveSize,
} from "@context-edge/protocol";

const EVERYBODY: WaveSize = { share: 1 };

/** Every device of these groups at once, and nobody asks for a gate afterwards. */
export function planOfOneStep(groups: readonly string[], gate: GatePolicy | null): Plan {
  return {
    steps: [{ groups: [...groups], size: EVERYBODY }],
    gate,
    watch_last: false,
    max_bad: { count: 0 },
    promote: "by-hand",
    on_fail: "halt",
    start_at: null,
    deadlines: {},
  };
}

export function planOf(request: CreateDeploymentRequest, defaultGate: GatePolicy): Plan {
  const { groups, waves = [EVERYBODY], together } = request;
  const steps: Step[] = together
    ? waves.map((size) => ({ groups: [...groups], size }))
    : groups.flatMap((group) => waves.map((size) => ({ groups: [group], size })));
  const given = Object.entries(request.gate).filter(([, value]) => value !== undefined);
  return {
    steps,
    // Between steps there is a gate; a single step has nothing to wait for unless it is asked for.
    gate:
      steps.length > 1 || given.length > 0 || request.watch_last
        ? { ...defaultGate, ...Object.fromEntries(given) }
        : null,
    watch_last: request.watch_last || (steps.length === 1 && given.length > 0),
    max_bad: request.max_bad,
    promote: request.promote,
    on_fail: request.on_fail,
    start_at: request.start_at ?? null,
    deadlines: request.deadlines,
  };
}

/** @returns why a plan makes no sense, in words; null when it does. */
export function whatIsWrongWith(request: CreateDeploymentRequest): string | null {
  const twice = request.groups.find((group, index) => request.groups.indexOf(group) !== index);
  if (twice !== undefined) return `group ${twice} is named twice`;
  const sizes = request.waves ?? [EVERYBODY];
  const last = sizes.at(-1);
  if (last === undefined || !("share" in last) || last.share < 1)
    return 'the last wave leaves devices out for good; end with {"share": 1}';
  for (const [index, size] of sizes.entries()) {
    const before = sizes[index - 1];
    if (before && "share" in before && "share" in size && size.share <= before.share)
      return "each wave must be larger than the one before: it includes the devices that moved already";
    if (before && "count" in before && "count" in size && size.count <= before.count)
      return "each wave must be larger than the one before: it includes the devices that moved already";
  }
  return null;
}

/** Places are multiples of 2⁻³²: this much more takes in one place and no other. */
const JUST_ABOVE = 2 ** -33;

/**
 * A share that takes in so many of these devices. Of a number it takes exactly those: whoever joins the group later waits for
 * the next wave. Of a share it takes at least one, because a wave of nobody proves nothing.
 */
export function shareOf(size: WaveSize, deviceIds: readonly string[], deploymentId: string): number {
  if ("share" in size && size.share >= 1) return 1;
  const places = deviceIds.map((id) => wavePlace(id, deploymentId)).toSorted((a, b) => a - b);
  const [first] = places;
  if (first === undefined) return "share" in size ? size.share : 0;
  if ("share" in size) return Math.max(size.share, first + JUST_ABOVE);
  return (places[size.count - 1] ?? places.at(-1) ?? first) + JUST_ABOVE;
}

/** By group, what has had its turn once this step has begun. Shares only rise. */
export function sharesAfter(
  plan: Plan,
  step: number,
  before: Readonly<Record<string, number>>,
  devicesOf: (group: string) => readonly string[],
  deploymentId: string,
): Record<string, number> {
  const shares = { ...before };
  const { groups, size } = plan.steps[step] ?? { groups: [], size: EVERYBODY };
  for (const group of groups) {
    shares[group] = Math.min(1, Math.max(shares[group] ?? 0, shareOf(size, devicesOf(group), deploymentId)));
  }
  return shares;
}

/** How many devices may end badly among this many. */
export function allowedBad({ max_bad: limit }: Pick<Plan, "max_bad">, devices: number): number {
  return "count" in limit ? limit.count : Math.floor(limit.share * devices);
}

/** "step 2 of 5 (30 % of line-a)"; empty for a plan of one step. */
export function stepWords(plan: Plan, step: number): string {
  const one = plan.steps[step];
  if (!one || plan.steps.length === 1) return "";
  const size = "share" in one.size ? `${Math.round(one.size.share * 100)} %` : `${one.size.count} devices`;
  return `step ${step + 1} of ${plan.steps.length} (${size} of ${one.groups.join(", ")})`;
}

/** The plan has no step left that has anything to do with this group. */
export function isBeyond({ steps }: Pick<Plan, "steps">, step: number, group: string): boolean {
  return !steps.slice(step).some(({ groups }) => groups.includes(group));
}
