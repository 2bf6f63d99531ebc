// Addresses that somebody else has set and a reader may click.

/** @returns the address if a browser may open it; `javascript:`, `data:` and the like act in the page that links to them. */
export function webLink(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null;
  const { protocol } = new URL(address);
  return protocol === "http:" || protocol === "https:" ? address : null;
}
