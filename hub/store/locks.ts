// The advisory locks of the hub: they are per database, and the first number keeps them apart from another application's.
export const LOCK = { space: 0x0ced6e, write: 1, conductor: 2 } as const;
