// What the log says of one step, and how loudly: an operator who asks the journal for warnings finds what did not work, and nothing else.
import type { Mishap, Step } from "./steps.ts";

export interface Told {
  level: "info" | "warn";
  words: string;
}

/** @param mishap why the step did not do what it is for, or null */
export function told(step: Step, mishap: Mishap | null): Told {
  if (mishap) return { level: "warn", words: `${step.do}: ${mishap.code}: ${mishap.message}` };
  if (step.do !== "record") return { level: "info", words: `${step.do}: done` };
  const { version, outcome, code, message } = step.report;
  if (outcome === "committed") return { level: "info", words: `${version} is committed: ${message}` };
  return { level: "warn", words: `${version} is ${outcome}: ${code}: ${message}` };
}
