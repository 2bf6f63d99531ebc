// How many devices stand where, as badges: what a screen reader is told as it changes.
import { SyncState, type Device } from "@context-edge/protocol";
import type { TemplateResult } from "lit";
import { badge, SYNC_TONE, SYNC_WORDS } from "./tones.ts";

export function standingInWords(devices: readonly Device[]): TemplateResult[] {
  const counts = Map.groupBy(devices, (device) => device.sync);
  return SyncState.options.flatMap((sync) => {
    const count = counts.get(sync)?.length ?? 0;
    return count > 0 ? [badge(SYNC_TONE[sync], `${count} ${SYNC_WORDS[sync].toLowerCase()}`)] : [];
  });
}
