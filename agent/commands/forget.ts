// `forget`: the numbers this device has accepted are given up, for when they lie where its hub can never reach them.
import { join } from "node:path";
import { deviceClock } from "../effects/clock.ts";
import { type Documents, openDocuments } from "../effects/documents.ts";
import { takeLock } from "../effects/lock.ts";
import { type Command, EXIT, type Invocation, ownDirectory, tell } from "./command.ts";

const FORGOTTEN =
  "Forgotten. The device takes the hub's next documents whatever their numbers; what runs goes on running.";

/** Only with `--yes`: for a while this device accepts what it had refused as replayed (docs/decisions/0005). */
export const forget: Command = async (invocation) => {
  const { options, say } = invocation;
  if (options["yes"] !== true) {
    const followed = (await documentsOf(invocation)).followed();
    const message = whatIsLost(followed);
    say(`NOT_CONFIRMED: ${message}`, { ok: false, code: "NOT_CONFIRMED", message, data: followed });
    return EXIT.refused;
  }
  const told = await tell(invocation, { do: "forget" }, () => FORGOTTEN);
  if (told !== "no-agent") return told;
  const lock = await takeLock(ownDirectory(invocation.config));
  try {
    await (await documentsOf(invocation)).forget();
  } finally {
    await lock.release();
  }
  say(FORGOTTEN, { ok: true, data: null });
  return EXIT.done;
};

function documentsOf({ config }: Invocation): Promise<Documents> {
  const clock = deviceClock(Date.now, () => performance.now());
  const trust = { device: config.AGENT_DEVICE_ID, hubKeys: config.hubKeys };
  return openDocuments(join(ownDirectory(config), "documents.json"), trust, clock);
}

function whatIsLost({
  assignment_sequence: assignment,
  manifest_sequence: manifest,
}: ReturnType<Documents["followed"]>) {
  return [
    `this device refuses assignments below ${assignment ?? "none"} and manifests below ${manifest ?? "none"}.`,
    "Forgetting that is for the case that its hub can never reach these numbers again.",
    "Until the hub has answered, an older document that has not expired would be accepted too;",
    "signatures, addressee and expiry are checked as always, and what runs goes on running.",
    "Say --yes when whoever runs the hub has asked for it.",
  ].join(" ");
}
