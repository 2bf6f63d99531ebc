// The hub's log: JSON lines on stdout with times people can read; for systemd's journal one readable line per event, with its priority.
import { fstatSync } from "node:fs";
import { journalLine, type LogRecord } from "@context-edge/protocol";
import { type DestinationStream, type Level, type Logger, pino } from "pino";

/** @param out where lines go; with `isJournal` as the journal takes them. */
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
  return pino(options, out.isJournal ? readable(out.stream) : out.stream);
}

function stdout() {
  return { stream: pino.destination({ fd: 1, sync: true }), isJournal: isJournal(process.env, 1) };
}

/** systemd.exec(5): `$JOURNAL_STREAM` names device and inode of the stream; a redirected one has another. */
export function isJournal({ JOURNAL_STREAM }: NodeJS.ProcessEnv, fd: number): boolean {
  if (!JOURNAL_STREAM) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    // A stream that was closed is not the journal's.
    return false;
  }
}

function readable(stream: DestinationStream): DestinationStream {
  return { write: (line) => stream.write(`${journalLine(JSON.parse(line) as LogRecord)}\n`) };
}
