// Figures as a person says them, for the sentences of gates and plans.

/** Rounded down: 99.96 % must not read as everything. */
export const percent = (share: number) => `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;

/** Seconds: `45 s`, `12 min`, `23.5 h`. */
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 360) / 10} h`;
}

export const milliseconds = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;

/** `0.3 MB`, `1,204.0 MB`. */
export const megabytes = (bytes: number) =>
  `${(bytes / 1_000_000).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MB`;

/** `3 devices`, `1 device`. */
/** 429232 reads 429,232. */
export const grouped = (count: number) => count.toLocaleString("en-US");
export const devices = (count: number) => `${grouped(count)} ${count === 1 ? "device" : "devices"}`;
