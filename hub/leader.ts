// Which replica conducts, as a port: one at a time does, and a hub that is alone always does.
export interface Leader {
  isLeader(): boolean;
  close(): Promise<void>;
}

export const ALWAYS_LEADER: Leader = { isLeader: () => true, close: () => Promise.resolve() };
