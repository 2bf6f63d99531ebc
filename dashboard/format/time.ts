// Instants and spans as people say them; the exact value always stands in the title.

/** `just now`, `3 min ago`, `5 h ago`, `12 Mar`. Both in milliseconds since the epoch. */
export function ago(thenMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - thenMs) / 1_000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }).format(thenMs);
}

/** `0.02 h` says little: `1.2 min`, `3.4 h`, `2.1 d`. */
export function hours(value: number): string {
  if (value < 1) return `${(value * 60).toFixed(1)} min`;
  if (value < 48) return `${value.toFixed(1)} h`;
  return `${(value / 24).toFixed(1)} d`;
}

export function absolute(iso: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }).format(Date.parse(iso));
}

export function day(iso: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" }).format(Date.parse(iso));
}
