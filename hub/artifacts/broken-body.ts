// A body that ended before it was whole: the connection broke, or it was so slow that the hub cut it.
const CODES = new Set(["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_HTTP_REQUEST_TIMEOUT"]);

export function isBrokenBody(error: unknown): boolean {
  return error instanceof Error && "code" in error && CODES.has(String(error.code));
}
