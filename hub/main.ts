// Starts the hub: settings from the environment, one line when it listens, and an orderly end.
import { buildApp } from "./app.ts";
import { readConfig } from "./config.ts";
import { HELP } from "./help.ts";
import { openHub } from "./hub.ts";

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const configured = readConfig(process.env);
  if (!configured.ok) {
    process.stderr.write(`The hub cannot start. ${configured.reason}\n`);
    return 2;
  }
  const { config } = configured;
  const hub = await openHub(config);
  const app = await buildApp(hub);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
  try {
    const address = await app.listen({ host: config.host, port: config.port });
    hub.log.info({ address, auth: config.auth.kind, data: config.dataDir }, "the hub listens");
    if (hub.keys.release.length === 0)
      hub.log.warn("no release keys are configured: signed versions cannot be registered");
    hub.log.info({ signal: await stopped }, "the hub stops");
    return 0;
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!isTaken) throw error;
    process.stderr.write(
      `The hub cannot start: port ${config.port} on ${config.host} is taken. Set HUB_PORT to another.\n`,
    );
    return 1;
  } finally {
    await app.close();
    await hub.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`The hub cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
