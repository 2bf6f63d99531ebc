// Comparing releases of L4T and TensorRT: `10.3.0.30` against `10.3`, part by part.

/** Part by part, a missing part counting as 0. @returns negative, 0 or positive, as for sorting */
export function compareVersions(a: string, b: string): number {
  const left = partsOf(a);
  const right = partsOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Equal as far as both say anything: `10.3` and `10.3.0.30` are the same release. */
export function isSameRelease(a: string, b: string): boolean {
  const left = partsOf(a);
  const right = partsOf(b);
  return left.slice(0, Math.min(left.length, right.length)).every((part, index) => part === right[index]);
}

function partsOf(version: string): number[] {
  return version.split(".").map(Number);
}
