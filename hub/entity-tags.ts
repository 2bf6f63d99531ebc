// Does the sender have this already: `If-None-Match` compared as RFC 9110 §13.1.2 says.

/**
 * Weak comparison: `W/"x"`, a list, `*`; what a proxy makes of a tag is still that tag. Whoever sends back the tag as it was
 * is known by one comparison of strings.
 */
export function hasCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === etag) return true;
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const opaque = opaqueOf(etag);
  return ifNoneMatch.split(",").some((tag) => opaqueOf(tag) === opaque);
}

function opaqueOf(tag: string): string {
  const bare = tag.trim();
  return bare.startsWith("W/") ? bare.slice(2) : bare;
}
