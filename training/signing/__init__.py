"""The release key's side of a version: DSSE envelopes, keys, statements. The TypeScript side is protocol/."""
