// training/run-training.sh as a process of its own: what it tells as it goes, and how it ends.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ROOT } from "./python.ts";

export interface Told {
  event: string;
  message: string;
  [fact: string]: unknown;
}

export interface TrainingRun {
  child: ChildProcess;
  told: Told[];
  /** Resolves with the first event that fits; rejects when the run ends without one. */
  tells(fits: (told: Told) => boolean): Promise<Told>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; told: Told[]; stderr: string }>;
}

/** Small enough for seconds, and still everything of a real run. One thread: on a busy machine two only wait for each other. */
const TINY = {
  TRAINING_RUNNER: "python",
  TRAINING_SAMPLES: "1500",
  TRAINING_EPOCHS: "3",
  TRAINING_HIDDEN: "16",
  TRAINING_THREADS: "1",
  TRAINING_PATIENCE: "60",
  TRAINING_JSON: "1",
};

export function startTraining(python: string, env: Record<string, string>, args: readonly string[] = []): TrainingRun {
  const child = spawn("bash", ["training/run-training.sh", ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...TINY, TRAINING_PYTHON: python, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told: Told[] = [];
  const lookers = new Set<() => void>();
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(JSON.parse(line) as Told);
    for (const look of lookers) look();
  });
  const ended: TrainingRun["ended"] = new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, told, stderr }));
  });
  const tells = (fits: (one: Told) => boolean) =>
    new Promise<Told>((resolve, reject) => {
      const look = () => {
        const found = told.find(fits);
        if (found) resolve(found);
      };
      lookers.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without telling that: ${JSON.stringify(told)} ${stderr}`)));
    });
  return { child, told, tells, ended };
}

/** The numbers of the epochs that were trained. */
export const epochsOf = (told: readonly Told[]) =>
  told.filter(({ event }) => event === "epoch").map(({ epoch }) => epoch);
