// One log record as one line for the systemd journal: `<4>the hub cannot be followed: no answer in time (code=TIMEOUT)`.

/** A record as pino makes them. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** From pino's levels to syslog's priorities, sd-daemon(3); the first that is not above the record's. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
] as const;

/** What the journal knows by itself, and the message, which comes first. */
const LEFT_OUT: ReadonlySet<string> = new Set(["level", "time", "msg", "pid", "hostname", "name", "device", "v"]);

export function journalLine(record: LogRecord): string {
  const level = Number(record["level"] ?? 30);
  const priority = PRIORITIES.find(([least]) => level >= least)?.[1] ?? 7;
  const fields = Object.entries(record).flatMap(([name, value]) =>
    LEFT_OUT.has(name) || value === undefined ? [] : [`${oneLine(name)}=${shown(value)}`],
  );
  const { msg } = record;
  const message = typeof msg === "string" ? oneLine(msg) : "";
  const more = fields.length === 0 ? "" : ` (${fields.join(" ")})`;
  return `<${priority}>${message}${more}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(oneLine(value));
  // `JSON.stringify` writes every control character of ASCII as an escape; those above it are written here.
  return oneLine(JSON.stringify(value) ?? String(value));
}

/** What a device, a hub or a file name says must neither begin a line of its own nor speak to the reader's terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/\r?\n\s*/g, " | ").replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
