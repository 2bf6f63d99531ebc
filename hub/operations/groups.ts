// Groups: one that nobody needs any more goes, with its targets. Renaming there is none: devices know their group by its name.
import type { Change } from "../changes.ts";
import { nextSequence } from "../core/desired.ts";
import type { Fleet } from "../fleet.ts";
import { ProblemError } from "../problem-error.ts";

/** Where devices go that nobody put anywhere. */
export const DEFAULT_GROUP = "default";

export function unknownGroup(name: string): ProblemError {
  return new ProblemError("GROUP_UNKNOWN", `There is no group ${name.slice(0, 200)}.`, {
    nextStep: "List them with GET /api/v1/groups, or create it with POST /api/v1/groups.",
  });
}

/**
 * @param look the fleet before the change; a device that is sent to the pilot meanwhile comes back to the default group
 * @throws CONFLICT while devices, deployments or the hub itself need it
 */
export async function deleteGroup(
  change: Change,
  name: string,
  { look, pilotGroup }: { look: Fleet; pilotGroup: string },
): Promise<void> {
  const { tx, at, actor, touched, tell } = change;
  if (!(await tx.groups.find(name))) throw unknownGroup(name);
  if (name === DEFAULT_GROUP || name === pilotGroup) {
    throw new ProblemError("CONFLICT", `The hub itself needs group ${name}.`);
  }
  const inIt = await tx.devices.idsIn(name);
  const atHome = look.devices.filter(({ home_group }) => home_group === name).map(({ id }) => id);
  const open = (await tx.deployments.open()).filter(({ groups }) => groups.includes(name)).map(({ id }) => id);
  const move = "Move them to another group first.";
  refuseWhileUsed(inIt, `in group ${name}`, move);
  refuseWhileUsed(atHome, `in the pilot now and will return to group ${name}`, move);
  refuseWhileUsed(open, `not over, and for group ${name}`, "Let it end, abort it or roll it back first.");
  // Decommissioned devices stay known for ever, and have to be somewhere.
  const revoked = await tx.devices.revokedIn(name);
  if (revoked.length > 0) await tx.groups.ensure(DEFAULT_GROUP, at);
  for (const { id, assignment_sequence } of revoked) {
    await tx.devices.assign(id, {
      group_name: DEFAULT_GROUP,
      home_group: null,
      assignment_sequence: nextSequence(assignment_sequence, Date.parse(at)),
    });
    touched.devices.add(id);
  }
  const targets = (await tx.targets.list()).filter(({ group_name }) => group_name === name);
  await tx.targets.removeOf(name);
  await tx.groups.remove(name);
  touched.groups.add(name);
  await tell("group.deleted", name, `${actor} deleted group ${name}`, {
    targets: Object.fromEntries(targets.map(({ model, version }) => [model, version])),
  });
}

function refuseWhileUsed(by: readonly string[], how: string, nextStep: string): void {
  const [first, ...others] = by;
  if (first === undefined) return;
  const who = others.length === 0 ? `${first} is` : `${first} and ${others.length} more are`;
  const context = { in_use_by: [first, ...others].slice(0, 100) };
  throw new ProblemError("CONFLICT", `${who} ${how}.`, { nextStep, context });
}
