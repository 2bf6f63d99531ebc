// Nobody has an account yet: whoever started the hub gets a link that makes the first admin, once, within a day.
import type { Hub } from "../hub.ts";
import { makePasswordLink, setupUrl } from "../operations/accounts.ts";

/** @returns the link, or null where accounts exist or are not used. To be printed and never kept. */
export async function firstAdminLink({ config, store, changes }: Hub): Promise<string | null> {
  if (config.auth.kind !== "accounts" || (await store.users.count()) > 0) return null;
  const secret = await changes.make("hub", async (change) => {
    await change.tell("setup.link-printed", "setup", "The hub printed a link that makes the first admin");
    return makePasswordLink(change, null);
  });
  return setupUrl(config, secret);
}
