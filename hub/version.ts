// The hub's version, as it says it of itself.
export const HUB_VERSION = "0.1.0";
