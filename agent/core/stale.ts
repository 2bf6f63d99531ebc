// An engine that no longer fits: TensorRT or the GPU was replaced under it. It is built anew from the file it came from, asked for or not.
import type { Inventory, Trouble } from "@context-edge/protocol";
import { isStale } from "./built.ts";
import { findRefusal } from "./refusal.ts";
import type { BuildOrder } from "./candidate.ts";
import type { Disk, State, Wish } from "./state.ts";

/**
 * Paused, expired, without a hub: what runs stays in force, and an engine that cannot be loaded runs nowhere. What was
 * offered, proved and committed here may be made once more; nothing else may.
 */
export function wishOrWhatRuns(wish: Wish, { current }: Disk, { tensorrt, sm }: Inventory): Wish {
  if (wish.is !== "nothing" || current.is !== "file" || !current.built || tensorrt === undefined) return wish;
  const { candidate: was } = current.built;
  const candidate = { ...was, build: { ...was.build, tensorrt, sm: sm ?? null } };
  return isStale(current, candidate) ? { is: "candidate", candidate } : wish;
}

type Seen = Pick<State, "journal" | "disk" | "wish">;

export function staleTrouble({ journal, disk: { current }, wish }: Seen): Trouble | null {
  if (wish.is !== "candidate" || current.is !== "file" || !isStale(current, wish.candidate)) return null;
  const refusal = findRefusal(journal.refusals, wish.candidate);
  const [was, now] = [current.built?.candidate.build, wish.candidate.build].map(runtimeWords);
  return {
    code: "ENGINE_STALE",
    message: `the engine of ${current.version} was built for ${was}, this device has ${now} now`,
    next_step: refusal
      ? `It could not be built anew (${refusal.code}): mend that and retry the deployment, or deploy another version.`
      : "Nothing, if the update was meant: the engine is built anew by itself. See what it waits for.",
  };
}

function runtimeWords(order: BuildOrder | undefined): string {
  return order ? `TensorRT ${order.tensorrt}${order.sm === null ? "" : ` on SM ${order.sm}`}` : "nothing that is known";
}
