// The last net before a diagnostics bundle leaves the device: whatever looks like a credential is taken out of every text.

const REMOVED = "[removed]";

const NAMES =
  "token|secret|passw(?:or)?d|passphrase|credentials?|api[_-]?key|private[_-]?key|access[_-]?key|signature|cookie";

/** Pattern and what stays of it. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE|SECRET)[A-Z0-9 ]*-----[\s\S]*?(?:-----END [A-Z0-9 ]*-----|$)/g,
    REMOVED,
  ],
  // User and password in an address.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'@]+@/gi, `$1${REMOVED}@`],
  // Presigned addresses carry their right in the query.
  [/\b(https?:\/\/[^\s?#"'<>]+)\?[^\s"'<>]*/gi, `$1?${REMOVED}`],
  [/\b(Bearer|Basic|Digest|Negotiate)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${REMOVED}`],
  // token=…, "password": "…", PIN: …; the name may be the end of a longer one.
  [
    new RegExp(`((?:${NAMES}|\\bpin)\\\\?["']?\\s*[:=]\\s*\\\\?["']?)(?!\\[removed\\])[^\\s"',;&}\\\\]+`, "gi"),
    `$1${REMOVED}`,
  ],
  // --api-key …, as a command's next word.
  [new RegExp(`(--[a-z-]*(?:${NAMES}|pin)["',\\s]+)(?!\\[removed\\])[^\\s"',]+`, "gi"), `$1${REMOVED}`],
  // JSON Web Tokens stand for themselves.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, REMOVED],
];

/** @param secrets what the agent knows to be secret, to be found wherever it stands */
export function redacted(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // Longest first, so that one secret inside another leaves nothing over.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    if (secret !== "") clean = clean.replaceAll(secret, REMOVED);
  }
  for (const [pattern, kept] of RULES) clean = clean.replace(pattern, kept);
  return clean;
}
