// `check`, `hold` and `rollback`: orders to the running agent; without one, those that make sense are carried out here.
import { join } from "node:path";
import { DEFAULT_MODEL, ModelName } from "@context-edge/protocol";
import { assemble } from "../agent.ts";
import { bells } from "../bells.ts";
import { timestamp } from "../core/instant.ts";
import { openLocalOrders } from "../effects/local-orders.ts";
import { takeLock } from "../effects/lock.ts";
import { AgentError } from "../errors.ts";
import { runOffline } from "../run.ts";
import { agentLog, type Command, EXIT, type Invocation, noAgent, ownDirectory, tell } from "./command.ts";
import { stopSignal } from "./run.ts";

const HOUR_MS = 3_600_000;

export const check: Command = async (invocation) => {
  const told = await tell(invocation, { do: "check" }, () => "The agent asks the hub now.");
  return told === "no-agent" ? noAgent(invocation) : told;
};

export const hold: Command = async (invocation) => {
  const { options, say, config } = invocation;
  if (options["release"] === true) {
    const released = "The hold of this device is ended; one of the hub's stays.";
    const told = await tell(invocation, { do: "release" }, () => released);
    if (told !== "no-agent") return told;
    await withOrders(invocation, (orders) => orders.setHold(null));
    say(released, { ok: true });
    return EXIT.done;
  }
  const hours = Number(options["hours"]);
  if (!(hours > 0 && hours <= 24 * 90)) {
    throw new AgentError("USAGE", "hold needs --hours N, more than 0 and at most 2160", "For example: hold --hours 4");
  }
  const reason = typeof options["reason"] === "string" ? options["reason"] : "";
  const words = (until: string) =>
    `${config.AGENT_DEVICE_ID} installs nothing until ${until}. What runs goes on running.`;
  const told = await tell(invocation, { do: "hold", hours, reason }, (data) =>
    words((data as { until: string }).until),
  );
  if (told !== "no-agent") return told;
  const until = timestamp(Date.now() + hours * HOUR_MS);
  await withOrders(invocation, (orders) => orders.setHold({ until, reason }));
  say(words(until), { ok: true, data: { until, reason } });
  return EXIT.done;
};

export const rollback: Command = async (invocation) => {
  const model = ModelName.parse(invocation.options["model"] ?? DEFAULT_MODEL);
  const told = await tell(
    invocation,
    { do: "rollback", model },
    () => "The backup is put back as soon as nothing else is under way. See: context-edge-agent status",
  );
  return told === "no-agent" ? rollbackHere(invocation, model) : told;
};

/** The service is reloaded and proved exactly as by the running agent. */
async function rollbackHere({ config, say }: Invocation, model: string) {
  const ring = bells();
  const agent = await assemble(config, agentLog(config, "warn"), {
    followed: () => undefined,
    wake: () => undefined,
    moved: () => undefined,
  });
  try {
    await agent.workers();
    const trouble = await agent.actions.rollback(model);
    if (trouble) {
      say(`${trouble.code}: ${trouble.message}. ${trouble.next_step}`, { ok: false, ...trouble });
      return EXIT.refused;
    }
    await runOffline(agent, ring, stopSignal());
    const worker = agent.opened().find((one) => one.model === model);
    const { journal, disk } = worker?.latest() ?? {};
    const runs = disk?.current.is === "file" ? disk.current.version : "nothing";
    const isHealthy = journal?.transaction.stage === "resting";
    say(`${runs} runs${isHealthy ? " and is healthy" : ", but it is not healthy"}.`, { ok: isHealthy, data: { runs } });
    return isHealthy ? EXIT.done : EXIT.wrong;
  } finally {
    await agent.lock.release();
  }
}

async function withOrders(
  { config }: Invocation,
  act: (orders: Awaited<ReturnType<typeof openLocalOrders>>) => Promise<void>,
): Promise<void> {
  const own = ownDirectory(config);
  const lock = await takeLock(own);
  try {
    await act(await openLocalOrders(join(own, "orders.json")));
  } finally {
    await lock.release();
  }
}
