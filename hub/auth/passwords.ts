// Passwords: argon2id by node:crypto, kept as PHC strings, a few at a time so that guessing cannot starve the hub.
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { tooManyAttempts } from "./attempts.ts";

/** OWASP's second choice for argon2id: 19 MiB, two passes, one lane. Stored with each hash, so they may rise later. */
const PRESENT = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Each takes a thread of libuv's four: files and DNS need the others. */
const AT_ONCE = 2;
const MAX_WAITING = 50;

const derive = promisify(argon2);
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** @param stored null where there is no such account: as much work, and always false. */
  verify(password: string, stored: string | null): Promise<boolean>;
  /** Made with weaker parameters than today's. */
  isOld(stored: string): boolean;
}

export function keepPasswords(): Passwords {
  const queued = queueOf(AT_ONCE, MAX_WAITING);
  // No password leads to a random tag; checking against it costs what checking a real one does.
  const decoy = phc(PRESENT, randomBytes(SALT_BYTES), randomBytes(TAG_BYTES));
  return {
    hash: (password) =>
      queued(async () => {
        const salt = randomBytes(SALT_BYTES);
        return phc(PRESENT, salt, await tagOf(password, salt, TAG_BYTES, PRESENT));
      }),
    verify: (password, stored) =>
      queued(async () => {
        const [, m, t, p, salt, tag] = PHC.exec(stored ?? decoy) ?? [];
        if (salt === undefined || tag === undefined) return false;
        const expected = Buffer.from(tag, "base64");
        const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
        const actual = await tagOf(password, Buffer.from(salt, "base64"), expected.length, cost);
        return timingSafeEqual(actual, expected) && stored !== null;
      }),
    isOld(stored) {
      const [, m, t] = PHC.exec(stored) ?? [];
      return Number(m) < PRESENT.memory || Number(t) < PRESENT.passes;
    },
  };
}

type Cost = Record<keyof typeof PRESENT, number>;

/** NFC: the same password typed on another keyboard may arrive decomposed. */
function tagOf(password: string, nonce: Buffer, tagLength: number, cost: Cost): Promise<Buffer> {
  return derive("argon2id", { message: password.normalize("NFC"), nonce, tagLength, ...cost });
}

/** https://github.com/P-H-C/phc-string-format */
function phc({ memory, passes, parallelism }: Cost, salt: Buffer, tag: Buffer): string {
  const b64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${b64(salt)}$${b64(tag)}`;
}

function queueOf(atOnce: number, maxWaiting: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) throw tooManyAttempts(5);
      // Whoever ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
