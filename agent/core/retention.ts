// Which files may go: only files this agent published, and never one that a slot, a transaction or the manifest may need.
import type { Digest } from "@context-edge/protocol";
import { isMadeOf, variantOf } from "./built.ts";
import { findRefusal } from "./refusal.ts";
import type { Candidate, Disk, Journal, Slot, Wish } from "./state.ts";

/** @returns names to delete; empty while a transaction is open, for then a rollback may need any of them. */
export function deletableFiles(journal: Journal, disk: Disk, wish: Wish): string[] {
  // Paused or not told: what was fetched may be asked for again in a minute.
  if (journal.transaction.stage !== "resting" || wish.is === "nothing") return [];
  const slots = [disk.current, disk.backup];
  // A link that cannot be read may name any file: nothing is deleted until it is understood.
  if (slots.some((slot) => slot.is === "broken" || slot.is === "foreign")) return [];
  const heldFiles = slots.flatMap((slot) => (slot.is === "file" ? [slot.file] : []));
  // An engine whose TensorRT is replaced is built anew from what it was built from, without the hub.
  const sources = slots.flatMap((slot) => (slot.is === "file" && slot.built ? [slot.built.candidate.digest] : []));
  const wished = wish.is === "candidate" && !findRefusal(journal.refusals, wish.candidate) ? wish.candidate : null;
  return disk.files.filter((file) => {
    const published = journal.published[file];
    if (published === undefined || heldFiles.includes(file) || sources.includes(published.digest)) return false;
    if (wished === null) return true;
    return published.digest !== wished.digest && (isServed(disk, wished) || !isMadeOf(published, wished));
  });
}

/** Another engine of what runs already is one that rotted, or that fits no more. */
function isServed({ current }: Disk, wished: Candidate): boolean {
  return wished.build !== undefined && current.is === "file" && isMadeOf(current, wished);
}

/** Digests whose partial downloads and statements stay. */
export function keptDigests(disk: Disk, wish: Wish): Digest[] {
  const ofSlot = (slot: Slot) => (slot.is === "file" ? [variantOf(slot)] : []);
  return [...ofSlot(disk.current), ...ofSlot(disk.backup), ...(wish.is === "candidate" ? [wish.candidate.digest] : [])];
}
