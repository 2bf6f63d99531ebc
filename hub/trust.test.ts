// Which keys count is told as tools take it: the very keys that sign and that statements are checked with.
import { createPublicKey } from "node:crypto";
import type { Trust } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { openTestHub } from "./testing/test-hub.ts";

test("the keys of hub and release are told in PEM, under the ids that signatures name", async () => {
  const hub = await openTestHub();
  try {
    const trust = (await hub.call("GET", "/api/v1/trust")).body as unknown as Trust;
    const rawOf = (pem: string) => Buffer.from(createPublicKey(pem).export({ format: "jwk" }).x ?? "", "base64url");
    expect(trust.hub.map(({ id }) => id)).toEqual([hub.hub.keys.signing.publicKey.id]);
    expect(rawOf(trust.hub[0]?.public_key ?? "")).toEqual(Buffer.from(hub.hub.keys.signing.publicKey.raw));
    expect(trust.release).toMatchObject([{ id: hub.releaseKey.publicKey.id, development: false }]);
    expect(rawOf(trust.release[0]?.public_key ?? "")).toEqual(Buffer.from(hub.releaseKey.publicKey.raw));
  } finally {
    await hub.close();
  }
});
