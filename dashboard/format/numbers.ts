// Figures as people read them. Nothing is rounded up to a perfection it has not.

/** `0.9412` → `94.1 %`; cut, not rounded, so that 999 of 1000 is never 100 %. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return "–";
  return `${(cut(share) / 10).toFixed(1)} %`;
}

/** Of something that should be small: `0.04 %` and not `0.0 %`. */
export const smallPercent = (share: number) => `${Number((share * 100).toPrecision(2))} %`;

/** Percentage points with their sign: `+2.3`. */
export function points(delta: number): string {
  const value = Math.round(delta * 1_000) / 10;
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}

/** The difference of two shares as they are shown, so that a reader who subtracts gets the same. */
export function pointsBetween(share: number, before: number): string {
  return points((cut(share) - cut(before)) / 1_000);
}

const cut = (share: number) => Math.floor(share * 1_000 + 1e-9);

/** `94.1 % (+2.3)`, or without the bracket when there is nothing to compare with. */
export function percentWithDelta(share: number, delta: number | null): string {
  return delta === null ? percent(share) : `${percent(share)} (${points(delta)})`;
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(1)} ms`;
}

export function count(value: number): string {
  return new Intl.NumberFormat("en-GB").format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(size: number): string {
  // 999 999 is 1.0 MB and not 1000 kB: whatever would be shown as a thousand belongs to the next unit.
  const power = BYTE_UNITS.findIndex((_, index) => Math.round(size / 1_000 ** index) < 1_000);
  if (power < 0) return `${count(Math.round(size / 1e12))} TB`;
  const value = size / 1_000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${BYTE_UNITS[power]}`;
}

export const shortDigest = (digest: string) => digest.slice(0, 12);
