// For services that watch the directory themselves: there is nothing to call, the probe sees when the file is served.
import type { Reloader } from "./reloader.ts";

export function noReloader(): Reloader {
  return { takes: "eventually", reload: () => Promise.resolve({ ok: true }) };
}
