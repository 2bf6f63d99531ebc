// A store whose hub, stream and time are driven by the test: every answer is held until the test lets go.
import type { LiveMessage, Session } from "@context-edge/protocol";
import type { Snapshot } from "../live/state.ts";
import { FleetStore } from "../live/store.ts";
import { aSession } from "./fixtures.ts";

class HandDrivenStream {
  readyState = 0;
  isClosed = false;
  readonly #listeners = new Map<string, (message: { data: string }) => void>();
  addEventListener(type: string, listener: (message: { data: string }) => void): void {
    this.#listeners.set(type, listener);
  }
  fire(type: "open" | "error" | "message", data = ""): void {
    this.#listeners.get(type)?.({ data });
  }
  say(message: LiveMessage): void {
    this.fire("message", JSON.stringify(message));
  }
  close(): void {
    this.isClosed = true;
  }
}

/** A hub whose answers are set by the test, with every fetch held until it lets go. */
export function handDriven() {
  const streams: HandDrivenStream[] = [];
  const waiting: { delayMs: number; work: () => void }[] = [];
  const held: PromiseWithResolvers<Snapshot>[] = [];
  const gathered: (() => void)[] = [];
  let isHeld = false;
  const hub = { session: aSession(), isReachable: true };
  const ask = async (): Promise<Session> => {
    if (!hub.isReachable) throw new Error("unreachable");
    return hub.session;
  };
  const store = new FleetStore({
    hub: {
      session: ask,
      signIn: async () => (hub.session = aSession({ auth: "token" })),
      signOut: async () => (hub.session = aSession({ auth: "token", signed_in: false })),
      snapshot() {
        const answer = Promise.withResolvers<Snapshot>();
        held.push(answer);
        return answer.promise;
      },
    },
    openStream() {
      const stream = new HandDrivenStream();
      streams.push(stream);
      return stream;
    },
    soon: (work) => (isHeld ? gathered.push(work) : work()),
    later(delayMs, work) {
      const entry = { delayMs, work };
      waiting.push(entry);
      return () => {
        if (waiting.includes(entry)) waiting.splice(waiting.indexOf(entry), 1);
      };
    },
  });
  /** From here on nothing is shown until the returned function is called. */
  const holdFrames = () => {
    isHeld = true;
    return () => {
      for (const work of gathered.splice(0)) work();
    };
  };
  return { store, hub, streams, waiting, held, holdFrames };
}
