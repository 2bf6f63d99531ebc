// The demo's command line: how many devices, which ports, where its data lives.
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";

export interface DemoOptions {
  devices: number;
  port: number;
  /** First of the row of status pages. Inference services listen 100 ports further up. */
  statusPort: number;
  /** Absolute. */
  dataDir: string;
  fresh: boolean;
  soakSeconds: number;
}

const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
  return value;
};

/** Exits with a usage message when an option is wrong. */
export function parseOptions(argv: readonly string[]): DemoOptions {
  const command = new Command("npm start --")
    .description("Start a whole fleet on this machine: a hub, devices with real agents, inference services and load.")
    .option("--devices <n>", "how many devices", wholeNumber(1, 50), 8)
    .option("--port <port>", "port of the hub and its dashboard", wholeNumber(1, 65_535), 8000)
    .option("--status-port <port>", "port of the first device's status page", wholeNumber(1, 65_300), 9101)
    .option("--data <dir>", "where everything is kept between starts", ".demo")
    .option("--fresh", "forget what an earlier start left there", false)
    .option("--soak <seconds>", "how long a pilot is watched before it may go to all", wholeNumber(0, 604_800), 60)
    .addHelpText("after", "\nExamples:\n  npm start\n  npm start -- --devices 12 --soak 20\n  npm start -- --fresh");
  const chosen = command.parse(argv, { from: "user" }).opts<{
    devices: number;
    port: number;
    statusPort: number;
    data: string;
    fresh: boolean;
    soak: number;
  }>();
  return {
    devices: chosen.devices,
    port: chosen.port,
    statusPort: chosen.statusPort,
    dataDir: resolve(chosen.data),
    fresh: chosen.fresh,
    soakSeconds: chosen.soak,
  };
}
