// Which replica conducts, as a port: one at a time does, and a hub that is alone always does.
export interface Leader {
  isLeader(): boolean;
  /** Another number whenever somebody else may have led meanwhile: what was half done then is begun again. */
  term(): number;
  close(): Promise<void>;
}

export const ALWAYS_LEADER: Leader = { isLeader: () => true, term: () => 0, close: () => Promise.resolve() };
