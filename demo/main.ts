// `npm start`: a whole fleet on one machine. Starts everything in order, says where to look, and ends it all on Ctrl-C.
import { join } from "node:path";
import { connectToHub, type HubApi } from "./hub-api.ts";
import { prepareDataDir } from "./data-dir.ts";
import { startAgent, startHub, startInference } from "./fleet.ts";
import { DEMO_PIN, ensureKeys, loadSigningKey } from "./keys.ts";
import { layOut, type Layout } from "./layout.ts";
import { generateLoad } from "./load/generator.ts";
import { readHeldOut } from "./load/samples.ts";
import { parseOptions, type DemoOptions } from "./options.ts";
import { findTakenPort } from "./ports.ts";
import { superviseChildren, type ChildNews } from "./processes.ts";
import { MODELS_DIR, seedHub } from "./seed.ts";
import { waitUntil } from "./wait-until.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(options: DemoOptions): Promise<number> {
  const layout = layOut(options);
  const taken = await findTakenPort([options.port, ...layout.devices.flatMap((d) => [d.statusPort, d.inferencePort])]);
  if (taken !== undefined) {
    say(`Port ${taken} is taken, perhaps by another demo. Stop it, or choose others with --port and --status-port.`);
    return 1;
  }
  const prepared = prepareDataDir(options.dataDir, options);
  if (!prepared.ok) {
    say(prepared.reason);
    return 1;
  }

  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());
  const children = superviseChildren(layout.logsDir, (news) => say(sentenceFor(news)));
  try {
    return await runFleet(options, layout, children, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 0;
    say(`The demo could not start: ${error instanceof Error ? error.message : String(error)}`);
    say(`Logs are in ${layout.logsDir}`);
    return 1;
  } finally {
    say("Stopping the fleet …");
    await children.stopAll();
  }
}

async function runFleet(
  options: DemoOptions,
  layout: Layout,
  children: ReturnType<typeof superviseChildren>,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now();
  const keys = ensureKeys(layout.keysDir);
  say(`Starting a hub and ${layout.devices.length} devices …`);
  startHub(children, layout, keys, options);
  const inference = startInference(children, layout.devices);
  const hub = connectToHub(layout.hubUrl);
  const hubAnswers = await waitUntil(() => hub.isReady(), { deadlineMs: 30_000, everyMs: 100, signal });
  if (!hubAnswers) throw new Error(`the hub did not become ready; see ${join(layout.logsDir, "hub.log")}`);

  await inference;
  for (const device of layout.devices) startAgent(children, layout, keys, device);
  await waitUntil(() => allEnrolled(hub, layout), { deadlineMs: 30_000, everyMs: 200, signal });
  await seedHub(hub, loadSigningKey(keys.releaseKeyFile), layout.hubDir);

  const load = generateLoad(
    hub,
    {
      devices: layout.devices,
      heldOut: await readHeldOut(join(MODELS_DIR, "held-out.json")),
      pauseMs: 400,
      labelledShare: 0.3,
      flushMs: 2_000,
    },
    signal,
  );
  say(welcome(layout, options));
  const settled = await waitUntil(() => allInSync(hub, layout), { deadlineMs: 120_000, everyMs: 300, signal });
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (settled) say(`All ${layout.devices.length} devices are in sync, ${seconds} s after the start.`);
  else if (!signal.aborted) say("Not every device is in sync; the dashboard says why.");
  await load;
  return 0;
}

async function allEnrolled(hub: HubApi, layout: Layout): Promise<boolean> {
  const devices = await hub.devices().catch(() => []);
  return devices.length >= layout.devices.length;
}

/** Every device settled: on its target, or where it was left after a bad version. */
async function allInSync(hub: HubApi, layout: Layout): Promise<boolean> {
  const devices = await hub.devices().catch(() => []);
  return devices.filter((device) => device.online && device.sync === "in-sync").length >= layout.devices.length;
}

function welcome(layout: Layout, { soakSeconds }: DemoOptions): string {
  const first = layout.devices[0];
  const last = layout.devices.at(-1);
  return [
    "",
    `  Dashboard      ${layout.hubUrl}/`,
    `  Models         ${layout.hubUrl}/admin/models`,
    `  API            ${layout.hubUrl}/api/docs`,
    `  Status pages   http://127.0.0.1:${first?.statusPort}/ … ${last?.statusPort}/   (one per device, PIN ${DEMO_PIN})`,
    `  Logs           ${layout.logsDir}`,
    "",
    "  v2.0 goes to every device first. Then try v2.1 (good), v2.2 (slow), v2.3 (wrong) and v2.4 (damaged).",
    `  A pilot is watched for ${soakSeconds} s before it may go to all (--soak). Ctrl-C ends everything.`,
    "",
  ].join("\n");
}

function sentenceFor(news: ChildNews): string {
  if (news.kind === "restarting") return `${news.name} ${news.how}; starting it again.`;
  return `${news.name} ${news.how} again and again; left alone. See ${news.logFile}`;
}

process.exitCode = await main(parseOptions(process.argv.slice(2)));
