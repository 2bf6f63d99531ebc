// `diagnose`: a zip for support, from the running agent, or from the disk when none runs.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { assemble } from "../agent.ts";
import type { Config } from "../config.ts";
import { AgentError, describe } from "../errors.ts";
import { makeDiagnostics } from "../status/diagnostics.ts";
import { type StatusDocument, statusDocument } from "../status/document.ts";
import { gatherDiagnostics } from "../status/gather.ts";
import { agentLog, ask, type Command, EXIT } from "./command.ts";
import { stopSignal } from "./run.ts";

export const diagnose: Command = async (invocation) => {
  const { config, options, say } = invocation;
  const reply = await ask(invocation, { do: "diagnose" });
  if (reply?.ok === false) {
    say(`${reply.code}: ${reply.message}`, reply);
    return EXIT.wrong;
  }
  const bundle = reply ? Buffer.from(String(reply.data), "base64") : await withoutAgent(config);
  const day = new Date().toISOString().slice(0, 10);
  const out = resolve(typeof options["out"] === "string" ? options["out"] : `${config.AGENT_DEVICE_ID}-${day}.zip`);
  try {
    await writeFile(out, bundle, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new AgentError("OUT_FILE", `${out} cannot be written: ${describe(error)}`, "Name another file with --out.");
  }
  say(`${out} holds what support needs, and no key, token or PIN.`, { ok: true, data: { file: out } });
  return EXIT.done;
};

export async function diagnosticsOf(config: Config, status: StatusDocument): Promise<Uint8Array> {
  return makeDiagnostics(await gatherDiagnostics({ config, status, now: Date.parse(status.at) }));
}

async function withoutAgent(config: Config): Promise<Uint8Array> {
  const quiet = () => undefined;
  const agent = await assemble(config, agentLog(config, "silent"), { followed: quiet, wake: quiet, moved: quiet });
  try {
    return await diagnosticsOf(config, await statusDocument(agent, stopSignal()));
  } finally {
    await agent.lock.release();
  }
}
