// Whether this device may change now: holds by the hub or by the person before it, and the operator's windows.
import type { Hold, Trouble, Waiting } from "@context-edge/protocol";
import { isMadeOf } from "./built.ts";
import { instant, timestamp } from "./instant.ts";
import { findRefusal } from "./refusal.ts";
import type { In, Journal, State } from "./state.ts";

export type Holder = "hub" | "device";
export type HoldBy = Hold & { by: Holder };

/** `closed` by a hold: nothing begins. By a window: everything is made ready, and only the switch waits. */
export type Permit =
  | { is: "open" }
  | { is: "held"; hold: HoldBy }
  /**
   * @param until opening of the next window, milliseconds since the epoch; null when none is in sight
   * @param builds engines are built all the same
   */
  | { is: "outside-window"; until: number | null; builds?: boolean };

export interface Windows {
  isOpen(now: number): boolean;
  opensAt(now: number): number | null;
}

/** @param builds whether the operator lets engines be built outside the windows too */
export function permitOf(hold: HoldBy | null, windows: Windows | null, now: number, builds = false): Permit {
  if (hold) return { is: "held", hold };
  if (!windows || windows.isOpen(now)) return { is: "open" };
  return { is: "outside-window", until: windows.opensAt(now), ...(builds ? { builds } : {}) };
}

/** A build loads the GPU for minutes and takes memory from whatever runs beside it: it waits like a switch, unless told not to. */
export function mayBuild(permit: Permit): boolean {
  return permit.is === "open" || (permit.is === "outside-window" && permit.builds === true);
}

/** @returns the hold that ends last, or null when none is in force. */
export function holdInForce(byHub: Hold | null, byDevice: Hold | null, now: number): HoldBy | null {
  const holds: HoldBy[] = [];
  if (byHub) holds.push({ ...byHub, by: "hub" });
  if (byDevice) holds.push({ ...byDevice, by: "device" });
  return (
    holds.filter((hold) => instant(hold.until) > now).toSorted((a, b) => instant(b.until) - instant(a.until))[0] ?? null
  );
}

/** When the permit may change by itself; null: only when somebody changes it. */
export function permitEnds(permit: Permit): number | null {
  if (permit.is === "held") return instant(permit.hold.until);
  return permit.is === "outside-window" ? permit.until : null;
}

/** What a reader is told of a device that has not switched yet; null when nothing waits. */
export function waitingOf({
  journal,
  disk,
  wish,
  permit,
}: Pick<State, "journal" | "disk" | "wish" | "permit">): Waiting | null {
  if (wish.is !== "candidate") return null;
  const { version, digest } = wish.candidate;
  if (disk.current.is === "file" && isMadeOf(disk.current, wish.candidate)) return null;
  const { transaction } = journal;
  if (transaction.stage === "fetching" && transaction.trouble) {
    const message = `${version} could not be fetched yet: ${transaction.trouble.message}`.slice(0, 500);
    return { for: "retry", until: timestamp(transaction.notBefore), message };
  }
  const isReady = transaction.stage === "waiting";
  if (!isReady && transaction.stage !== "resting" && transaction.stage !== "queued") return null;
  if (findRefusal(journal.refusals, wish.candidate)) return null;
  const until = permitEnds(permit);
  const at = until === null ? null : timestamp(until);
  if (permit.is === "held") {
    const who = permit.hold.by === "hub" ? "An engineer" : "Somebody at the device";
    const why = permit.hold.reason === "" ? "" : `: ${permit.hold.reason}`;
    return { for: "hold", until: at, message: `${who} holds this device as it is${why}`.slice(0, 500) };
  }
  if (transaction.stage === "queued") return queuedWaiting(transaction, permit, version);
  if (!isReady) return setbackWaiting(journal, digest, version);
  if (permit.is === "outside-window") {
    return { for: "window", until: at, message: `${version} is ready and waits for its maintenance window` };
  }
  if (transaction.trouble) {
    const message = `${version} is ready, but ${transaction.trouble.message}`.slice(0, 500);
    return { for: "retry", until: timestamp(transaction.notBefore), message };
  }
  if (transaction.vetoes === 0) return null;
  return vetoed(transaction, `${version} is ready`);
}

function vetoed({ vetoes, notBefore }: Pick<In<"waiting">, "vetoes" | "notBefore">, what: string): Waiting {
  return {
    for: "veto",
    until: timestamp(notBefore),
    message: `${what}, but the device said it is busy (asked ${vetoes} times)`,
  };
}

function queuedWaiting(queued: In<"queued">, permit: Permit, version: string): Waiting | null {
  if (!mayBuild(permit)) {
    const until = permitEnds(permit);
    const message = `${version} is fetched, and its engine is built when the maintenance window opens`;
    return { for: "window", until: until === null ? null : timestamp(until), message };
  }
  if (queued.trouble) {
    const message = `the engine of ${version} is not built yet: ${queued.trouble.message}`.slice(0, 500);
    return { for: "retry", until: timestamp(queued.notBefore), message };
  }
  return queued.vetoes === 0 ? null : vetoed(queued, `${version} is fetched, and its engine has yet to be built`);
}

/** A disk or a link that keeps a version from being fetched is told long before the attempt is given up. */
export function fetchTrouble({ transaction }: Journal): Trouble | null {
  const { stage } = transaction;
  return stage === "fetching" || stage === "queued" || stage === "waiting" ? transaction.trouble : null;
}

function setbackWaiting({ setback }: Journal, digest: string, version: string): Waiting | null {
  if (setback?.digest !== digest) return null;
  return { for: "retry", until: timestamp(setback.notBefore), message: `${version} failed and is tried again` };
}
