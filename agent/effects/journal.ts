// Whether systemd's journal reads what this process writes, and how it is written to then.
import { fstatSync } from "node:fs";
import { journalLine, type LogRecord } from "@context-edge/protocol";
import { type DestinationStream, pino } from "pino";

/** systemd.exec(5): `$JOURNAL_STREAM` names device and inode of the stream; a redirected one has another. */
export function isJournal(environment: NodeJS.ProcessEnv, fd: number): boolean {
  const named = environment["JOURNAL_STREAM"];
  if (!named) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** One readable line per event with its priority for the journal, JSON for everybody else. */
export function logStream(environment: NodeJS.ProcessEnv): DestinationStream {
  const out = pino.destination({ sync: true });
  if (!isJournal(environment, process.stdout.fd)) return out;
  return { write: (line) => void out.write(`${journalLine(JSON.parse(line) as LogRecord)}\n`) };
}
