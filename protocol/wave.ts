// Which devices move together: a pure function that hub and device compute alike, so the manifest carries only a share.
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * A device's place in a deployment, 0 ≤ place < 1: uniform over devices, stable for one deployment, and
 * different for the next one, so that no device is always the first to try.
 */
export function wavePlace(deviceId: string, deploymentId: string): number {
  const hash = sha256(utf8ToBytes(`${deploymentId}\n${deviceId}`));
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0) / 2 ** 32;
}

/** @param share 0 to 1; raising it only ever adds devices. */
export function isInWave(deviceId: string, deploymentId: string, share: number): boolean {
  // Every place is under 1; a whole fleet is not hashed to find that out.
  return share >= 1 || wavePlace(deviceId, deploymentId) < share;
}
