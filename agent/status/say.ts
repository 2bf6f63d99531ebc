// `agent status`: what the running agent says of itself, in a few lines on the terminal.
import type { Config } from "../config.ts";
import { http } from "../effects/http.ts";
import { AgentError } from "../errors.ts";
import type { StatusDocument } from "./document.ts";
import { clockTime } from "./format.ts";

export async function sayStatus(config: Config): Promise<number> {
  const { AGENT_STATUS_HOST: host, AGENT_STATUS_PORT: port } = config;
  if (port === 0) throw new AgentError("NO_STATUS_PAGE", "this agent has no status page", "Set AGENT_STATUS_PORT.");
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const url = `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}/status.json`;
  // Straight to this machine, whatever proxy the fleet uses.
  const reply = await http({}).request({
    method: "GET",
    url,
    deadlineMs: 10_000,
    signal: new AbortController().signal,
  });
  if (!reply.ok || reply.status !== 200) {
    const why = reply.ok ? `it answered ${reply.status}` : reply.message;
    throw new AgentError("NOT_RUNNING", `no agent answers at ${url}: ${why}`, "Is the agent running?");
  }
  const status = JSON.parse(reply.body) as StatusDocument;
  for (const line of statusLines(status)) console.log(line);
  return status.trouble ? 1 : 0;
}

export function statusLines(status: StatusDocument): string[] {
  const models = Object.entries(status.models).flatMap(([name, { headline, wish, current_since: since }]) => {
    const when = since === null ? "" : ` since ${clockTime(since)}`;
    return [`${name}: ${headline.text}${when}. ${headline.health}`, `  ${wish}`];
  });
  const trouble = status.trouble ? [`Wrong: ${status.trouble.message}`, `To do: ${status.trouble.next_step}`] : [];
  const heard =
    status.hub.last_answer_at === null ? "has not answered yet" : `answered ${clockTime(status.hub.last_answer_at)}`;
  return [
    `${status.device} (group ${status.group ?? "none yet"})`,
    ...models,
    ...trouble,
    `Hub ${status.hub.url} ${heard}.`,
  ];
}
