// Where everything of one demo lives: devices with their groups, ports and directories.
import { join } from "node:path";
import type { DemoOptions } from "./options.ts";

export const LINK_NAME = "current.onnx";

export interface DemoDevice {
  id: string;
  group: string;
  /** The agent's models directory, with the slot links in it. */
  modelsDir: string;
  statusPort: number;
  inferencePort: number;
}

export interface Layout {
  hubUrl: string;
  hubDir: string;
  keysDir: string;
  logsDir: string;
  devices: DemoDevice[];
}

/** edge-001 and edge-002 are the pilot, the next three line-1, all others line-2. */
const groupOf = (index: number) => (index < 2 ? "pilot" : index < 5 ? "line-1" : "line-2");

export function layOut(options: DemoOptions): Layout {
  const devices = Array.from({ length: options.devices }, (_, index) => {
    const id = `edge-${String(index + 1).padStart(3, "0")}`;
    return {
      id,
      group: groupOf(index),
      modelsDir: join(options.dataDir, "devices", id, "models"),
      statusPort: options.statusPort + index,
      inferencePort: options.statusPort + 100 + index,
    };
  });
  return {
    hubUrl: `http://127.0.0.1:${options.port}`,
    hubDir: join(options.dataDir, "hub"),
    keysDir: join(options.dataDir, "keys"),
    logsDir: join(options.dataDir, "logs"),
    devices,
  };
}
