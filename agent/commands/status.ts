// `status`: what the running agent says of itself; without one, what the disk says.
import { resolve } from "node:path";
import { DEFAULT_MODEL } from "@context-edge/protocol";
import { linkNameOf } from "../config.ts";
import { fingerprints } from "../effects/digest.ts";
import { modelDirectory } from "../effects/model-directory.ts";
import { observeDisk } from "../effects/slots.ts";
import type { StatusDocument } from "../status/document.ts";
import { statusLines } from "../status/say.ts";
import { ask, type Command, EXIT, noAgent } from "./command.ts";

export const status: Command = async (invocation) => {
  const reply = await ask(invocation, { do: "status" });
  if (!reply) {
    const { config, say } = invocation;
    const directory = modelDirectory(
      resolve(config.AGENT_MODELS_DIR),
      DEFAULT_MODEL,
      linkNameOf(config, DEFAULT_MODEL),
    );
    const disk = await observeDisk(directory, {}, fingerprints()).catch(() => null);
    const { current } = disk ?? {};
    const linked = current?.is === "file" ? `The link leads to ${current.file} (${current.version}).` : "";
    if (linked !== "" && invocation.options["json"] !== true) say(linked, null);
    return noAgent(invocation);
  }
  if (!reply.ok) {
    invocation.say(`${reply.code}: ${reply.message}`, reply);
    return EXIT.wrong;
  }
  const document = reply.data as StatusDocument;
  invocation.say(statusLines(document).join("\n"), document);
  return document.trouble ? EXIT.wrong : EXIT.done;
};
