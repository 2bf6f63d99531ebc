// How replicas hear of one another, as a port: PostgreSQL carries it, and a hub that is alone has nothing to hear.
export interface Ears {
  onWord(payload: string): void;
  /** Words may have been missed: at the beginning, and after every break. */
  onGap(): void;
}

export interface Relay {
  /** Resolves when it listens, or has begun to try. */
  listen(ears: Ears): Promise<void>;
  close(): Promise<void>;
}

export const NO_RELAY: Relay = { listen: () => Promise.resolve(), close: () => Promise.resolve() };
