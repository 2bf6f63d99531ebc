// When those who are turned away with 503 come back: spread over a while, because all at once they would be turned away again.
const SECONDS = { least: 1, most: 15 };

/** For `Retry-After`. @param random 0 to 1 */
export function comeBackSeconds(random: () => number = Math.random): number {
  return SECONDS.least + Math.round((SECONDS.most - SECONDS.least) * random());
}
