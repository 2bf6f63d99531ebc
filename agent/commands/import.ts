// `import PATH`: model files, and perhaps the hub's sealed documents, from a stick. Verified exactly as what comes by the network.
import { join } from "node:path";
import { openDocuments } from "../effects/documents.ts";
import { deviceClock } from "../effects/clock.ts";
import { takeLock } from "../effects/lock.ts";
import { type CarriedDocuments, type Placed, placeImports } from "../effects/stick.ts";
import { AgentError } from "../errors.ts";
import { offerDocuments } from "./carried.ts";
import { ask, type Command, EXIT, type Invocation, ownDirectory } from "./command.ts";
import { stopSignal } from "./run.ts";

export const importFiles: Command = async (invocation) => {
  const { config, words, say } = invocation;
  const [path] = words;
  if (path === undefined || words.length > 1) {
    throw new AgentError("USAGE", "import needs one PATH", "For example: import /media/usb");
  }
  const ownDir = ownDirectory(config);
  const placed = await placeImports({ ownDir, path, reserveBytes: config.AGENT_DISK_RESERVE, signal: stopSignal() });
  if (!placed.ok) {
    const { code, message, nextStep } = placed.mishap;
    say(`${code}: ${message}. ${nextStep}`, { ok: false, code, message, next_step: nextStep });
    return EXIT.refused;
  }
  const refused = await offer(invocation, placed.documents);
  const files = placed.files.map(({ file, digest, sizeBytes }) => ({ file, digest, size_bytes: sizeBytes }));
  const lines = [...placed.files.map(sentence), ...refused.map((why) => `Refused: ${why}`)];
  say(lines.join("\n"), { ok: refused.length === 0, data: { files, refused } });
  await ask(invocation, { do: "check" });
  return refused.length === 0 ? EXIT.done : EXIT.refused;
};

/** The running agent takes them; without one they are kept for its next start. */
async function offer(invocation: Invocation, documents: CarriedDocuments): Promise<string[]> {
  if (documents.manifest === null && documents.assignment === null) return [];
  const reply = await ask(invocation, { do: "documents", ...documents });
  if (reply) return reply.ok ? (reply.data as string[]) : [reply.message];
  const { config } = invocation;
  const own = ownDirectory(config);
  const lock = await takeLock(own);
  try {
    const clock = deviceClock(Date.now, () => performance.now());
    const trust = { device: config.AGENT_DEVICE_ID, hubKeys: config.hubKeys };
    return await offerDocuments(await openDocuments(join(own, "documents.json"), trust, clock), documents);
  } finally {
    await lock.release();
  }
}

function sentence({ file, digest, sizeBytes }: Placed): string {
  const megabytes = (sizeBytes / 1e6).toFixed(1);
  return `${file} (${megabytes} MB, sha256 ${digest.slice(0, 12)}…) is kept until the hub's manifest asks for it.`;
}
