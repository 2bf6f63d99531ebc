// What needs a person now, worst first: deployments that halted or passed, versions to review, devices in trouble. Pure.
import type { Deployment, Device, Version } from "@context-edge/protocol";
import { devicesInTrouble, devicesOf, openDeployments, versionsToReview } from "./select.ts";
import type { FleetState } from "./state.ts";

export type Decision =
  | { is: "halted"; key: string; deployment: Deployment }
  | { is: "passed"; key: string; deployment: Deployment }
  | { is: "review"; key: string; version: Version }
  | { is: "trouble"; key: string; device: Device }
  | { is: "more-trouble"; key: string; count: number }
  | { is: "offline"; key: string; devices: readonly Device[] };

/** An outage of a line must not push everything else off the page. */
const SHOWN_DEVICES = 4;

export function decisionsOf(state: FleetState): Decision[] {
  const open = openDeployments(state);
  const inState = (wanted: Deployment["state"]) => open.filter((one) => one.state === wanted);
  const troubled = devicesInTrouble(state);
  const away = devicesOf(state).filter(({ online }) => !online);
  return [
    ...inState("paused").map((deployment) => ({ is: "halted" as const, key: deployment.id, deployment })),
    ...inState("awaiting-approval").map((deployment) => ({ is: "passed" as const, key: deployment.id, deployment })),
    ...versionsToReview(state).map((version) => ({ is: "review" as const, key: version.version_id, version })),
    ...troubled
      .slice(0, SHOWN_DEVICES)
      .map((device) => ({ is: "trouble" as const, key: `device ${device.id}`, device })),
    ...(troubled.length > SHOWN_DEVICES
      ? [{ is: "more-trouble" as const, key: "more", count: troubled.length - SHOWN_DEVICES }]
      : []),
    ...(away.length > 0 ? [{ is: "offline" as const, key: "offline", devices: away }] : []),
  ];
}

/** Deployments that go on by themselves: to be watched, not decided. */
export const underWay = (state: FleetState): Deployment[] =>
  openDeployments(state).filter(({ state: now }) => now !== "paused" && now !== "awaiting-approval");
