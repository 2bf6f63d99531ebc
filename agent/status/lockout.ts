// Wrong PINs are counted: after a few the PIN is locked for a while, and longer each time; per address, and for all addresses together.

export interface LockoutRules {
  /** Wrong tries of one address before it is locked. */
  ofOne: number;
  /** Wrong tries of all addresses together before everybody is locked: an attacker may have many addresses. */
  ofAll: number;
  /** The first lock; every wrong try after it doubles the next, up to `maxMs`. */
  firstMs: number;
  maxMs: number;
  /** Without a wrong try for this long after the last lock, the count begins anew. */
  forgetMs: number;
  /** Addresses remembered; the one that was quiet longest is forgotten first. */
  addresses: number;
}

export const LOCKOUT_RULES: LockoutRules = {
  ofOne: 5,
  ofAll: 20,
  firstMs: 60_000,
  maxMs: 3_600_000,
  forgetMs: 24 * 3_600_000,
  addresses: 512,
};

export interface Lockout {
  /** @returns milliseconds until this address may try again; 0 when it may */
  lockedMs(address: string): number;
  wrong(address: string): void;
  /** Clears this address alone: a right PIN somewhere must not give an attacker elsewhere more tries. */
  right(address: string): void;
}

interface Count {
  wrong: number;
  lockedUntil: number;
  lastAt: number;
}

/** @param now milliseconds of a clock that never jumps: setting the device's clock must not unlock it */
export function lockout(now: () => number, rules: LockoutRules = LOCKOUT_RULES): Lockout {
  const counts = new Map<string, Count>();
  let all: Count = { wrong: 0, lockedUntil: 0, lastAt: -Infinity };

  const current = (count: Count | undefined): Count => {
    const isForgotten = !count || now() > Math.max(count.lastAt, count.lockedUntil) + rules.forgetMs;
    return isForgotten ? { wrong: 0, lockedUntil: 0, lastAt: now() } : count;
  };
  const counted = (count: Count, allowed: number): Count => {
    const wrong = count.wrong + 1;
    const over = wrong - allowed;
    const lockMs = over < 0 ? 0 : Math.min(rules.maxMs, rules.firstMs * 2 ** Math.min(over, 30));
    return { wrong, lockedUntil: lockMs === 0 ? count.lockedUntil : now() + lockMs, lastAt: now() };
  };

  return {
    lockedMs(address) {
      const own = current(counts.get(networkOf(address)));
      return Math.max(0, own.lockedUntil - now(), current(all).lockedUntil - now());
    },
    wrong(address) {
      const key = networkOf(address);
      const count = counted(current(counts.get(key)), rules.ofOne);
      // Set anew, so that the map's order is the order of the last wrong try.
      counts.delete(key);
      counts.set(key, count);
      for (const oldest of counts.keys()) {
        if (counts.size <= rules.addresses) break;
        counts.delete(oldest);
      }
      all = counted(current(all), rules.ofAll);
    },
    right(address) {
      counts.delete(networkOf(address));
    },
  };
}

/** One host may use any address of its IPv6 /64, and reaches us by IPv4 in two spellings. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
