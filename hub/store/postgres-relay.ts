// LISTEN on a connection of its own. Whatever is sent while it is broken is lost, so every new connection begins with a gap.
import type { Relay } from "../relay.ts";
import { CHANNEL } from "./signals.ts";
import { sessionName, watchConnection } from "./watched-connection.ts";

const BEAT_MS = 5_000;
const TIMEOUT_MS = 5_000;

export function postgresRelay(url: string): Relay {
  let connection: { close(): Promise<void> } | undefined;
  return {
    async listen(ears) {
      connection = await watchConnection({
        url,
        name: sessionName("words"),
        everyMs: BEAT_MS,
        timeoutMs: TIMEOUT_MS,
        async onConnect(client) {
          client.on("notification", ({ payload }) => ears.onWord(payload ?? ""));
          await client.query(`listen ${CHANNEL}`);
          // Only now: what is committed from here on is heard, what was committed before can be read.
          ears.onGap();
        },
        async onBeat(client) {
          await client.query("select 1");
        },
        onLost: () => undefined,
      });
    },
    close: async () => connection?.close(),
  };
}
