// Instants and spans as people say them; the exact value always stands in the title.

/** `just now`, `3 min ago`, `5 h ago`, `3 d ago`, `12 Mar 2026`. Both in milliseconds since the epoch. */
export function ago(thenMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - thenMs) / 1_000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  if (seconds < 14 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
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

/** Sentences of the hub name instants as machines do; people read their own clock. */
export const withReadableTimes = (sentence: string) =>
  sentence.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (iso) =>
    new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(
      Date.parse(iso),
    ),
  );

export function day(iso: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" }).format(Date.parse(iso));
}

/** Seconds as a plan says them: `45 s`, `20 min`, `24 h`, `3 d`. */
export function spanInWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds <= 48 * 3_600) return `${Number((seconds / 3_600).toFixed(1))} h`;
  return `${Number((seconds / 86_400).toFixed(1))} d`;
}
