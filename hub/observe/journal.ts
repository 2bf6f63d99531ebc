// Whether systemd's journal reads what the hub logs, and how it is written to then: one readable line per event, with its priority.
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

/** JSON for everybody else. */
export function logStream(environment: NodeJS.ProcessEnv): DestinationStream {
  const out = pino.destination();
  if (!isJournal(environment, process.stdout.fd)) return out;
  return { write: (line) => void out.write(`${journalLine(JSON.parse(line) as LogRecord)}\n`) };
}
