// The hub's log: JSON lines on stdout with times people can read, and with priorities where the journal takes them.
import { fstatSync } from "node:fs";
import { type DestinationStream, type Level, type Logger, pino } from "pino";

/** As syslog numbers them (sd-daemon(3)): the journal takes such a prefix off a line, and `journalctl -p warning` finds it. */
const PRIORITY: Record<number, number> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** @param out where lines go; with `isJournal` each begins with its priority. */
export function openLog(
  level: Level | "silent",
  out: { stream: DestinationStream; isJournal: boolean } = stdout(),
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ["req.headers.authorization", "req.headers.cookie"],
  };
  return pino(options, out.isJournal ? withPriority(out.stream) : out.stream);
}

function stdout() {
  return { stream: pino.destination({ fd: 1, sync: true }), isJournal: isJournal(process.env, 1) };
}

/** systemd says which stream is its own; a pipe to something else gets plain JSON. */
export function isJournal({ JOURNAL_STREAM }: NodeJS.ProcessEnv, fd: number): boolean {
  if (JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return JOURNAL_STREAM === `${dev}:${ino}`;
}

function withPriority(stream: DestinationStream): DestinationStream {
  const out = {
    // pino then says the level of each line beforehand.
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 30,
    write: (line: string) => stream.write(`<${PRIORITY[out.lastLevel] ?? 6}>${line}`),
  };
  return out;
}
