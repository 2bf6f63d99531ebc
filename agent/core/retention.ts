// Which files may go: only files this agent published, and never one that a slot, a transaction or the manifest may need.
import type { Digest } from "@context-edge/protocol";
import type { Disk, Journal, Slot, Wish } from "./state.ts";

/** @returns names to delete; empty while a transaction is open, for then a rollback may need any of them. */
export function deletableFiles(journal: Journal, disk: Disk, wish: Wish): string[] {
  // Paused or not told: what was fetched may be asked for again in a minute.
  if (journal.transaction.stage !== "resting" || wish.is === "nothing") return [];
  const slots = [disk.current, disk.backup];
  // A link that cannot be read may name any file: nothing is deleted until it is understood.
  if (slots.some((slot) => slot.is === "broken" || slot.is === "foreign")) return [];
  const heldFiles = slots.flatMap((slot) => (slot.is === "file" ? [slot.file] : []));
  const wished = wish.is === "candidate" && !isRefused(journal, wish.candidate.digest) ? wish.candidate.digest : null;
  return disk.files.filter((file) => {
    const published = journal.published[file];
    return published !== undefined && !heldFiles.includes(file) && published.digest !== wished;
  });
}

/** Digests whose partial downloads and statements stay. */
export function keptDigests(disk: Disk, wish: Wish): Digest[] {
  const ofSlot = (slot: Slot) => (slot.is === "file" ? [slot.digest] : []);
  return [...ofSlot(disk.current), ...ofSlot(disk.backup), ...(wish.is === "candidate" ? [wish.candidate.digest] : [])];
}

function isRefused(journal: Journal, digest: Digest): boolean {
  return journal.refusals.some((refusal) => refusal.digest === digest);
}
