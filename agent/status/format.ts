// Times and sizes as a person reads them, in the device's own time zone.

/** "Tuesday 14:02", and with the date when it is more than six days away from `now`. */
export function clockTime(at: string, now: number = Date.now()): string {
  const date = new Date(at);
  const isNear = Math.abs(now - date.getTime()) < 6 * 24 * 3_600_000;
  const day = new Intl.DateTimeFormat(
    "en-GB",
    isNear ? { weekday: "long" } : { day: "numeric", month: "long", year: "numeric" },
  );
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return `${day.format(date)} ${time.format(date)}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
