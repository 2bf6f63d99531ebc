// Who hears of what the agent does by itself.

/** What the agent rings when it is not the loop that moves. */
export interface Rings {
  /** A document of the hub was accepted. */
  followed: () => void;
  /** The loop has something to look at: an order, a hold. */
  wake: () => void;
  /** A reader of the status page would want to see something new. */
  moved: () => void;
}
