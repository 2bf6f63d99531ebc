// Whole numbers in as few bits as they need, as text: six bits a sign of an alphabet that every database and backup takes as it is.
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SIGN_BITS = 6;
/** A number of unknown size comes in groups of this many bits, each behind a bit that says whether another follows. */
const GROUP_BITS = 4;
const GROUP = 2 ** GROUP_BITS;
/** No number that was written has more. */
const MOST_GROUPS = 14;

// Powers instead of shifts, which would cut sums at 32 bits.
export function bitWriter() {
  let text = "";
  let sign = 0;
  let free = SIGN_BITS;
  /** @param value whole, not negative, below 2 to the power of `width` */
  const put = (value: number, width: number) => {
    for (let left = width; left > 0;) {
      const taken = Math.min(left, free);
      left -= taken;
      free -= taken;
      sign = sign * 2 ** taken + (Math.floor(value / 2 ** left) % 2 ** taken);
      if (free > 0) continue;
      text += ALPHABET[sign];
      [sign, free] = [0, SIGN_BITS];
    }
  };
  return {
    put,
    /** Not negative. */
    putNumber(value: number): void {
      let rest = value;
      for (; rest >= GROUP; rest = Math.floor(rest / GROUP)) put(GROUP + (rest % GROUP), GROUP_BITS + 1);
      put(rest, GROUP_BITS + 1);
    },
    end: () => (free === SIGN_BITS ? text : text + ALPHABET[sign * 2 ** free]),
  };
}

/** Reads what was written; past its end, and where a sign is of no alphabet, zeros. */
export function bitReader(text: string) {
  const signs = Array.from(text, (letter) => Math.max(0, ALPHABET.indexOf(letter)));
  let place = 0;
  const take = (width: number): number => {
    let value = 0;
    for (let left = width; left > 0;) {
      const free = SIGN_BITS - (place % SIGN_BITS);
      const taken = Math.min(left, free);
      const sign = signs[Math.floor(place / SIGN_BITS)] ?? 0;
      value = value * 2 ** taken + (Math.floor(sign / 2 ** (free - taken)) % 2 ** taken);
      left -= taken;
      place += taken;
    }
    return value;
  };
  return {
    take,
    takeNumber(): number {
      let value = 0;
      for (let index = 0; index < MOST_GROUPS; index += 1) {
        const group = take(GROUP_BITS + 1);
        value += (group % GROUP) * GROUP ** index;
        if (group < GROUP) break;
      }
      return value;
    },
  };
}
