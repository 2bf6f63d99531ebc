// Counters of Triton's metrics page, for services whose statistics extension is off. Text format 0.0.4 of Prometheus.
import type { Counters } from "./probe.ts";

/** `name{label="value",…} 12 timestamp?` */
const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>[^}]*)\})?\s+(?<value>[^\s]+)/;
const MODEL_LABEL = /(?:^|,)\s*model="((?:[^"\\]|\\.)*)"/;

/**
 * Versions and GPUs of one model are added up. No npm parser was taken: the known ones parse whole expositions into
 * objects, and three sums need one pattern.
 * @param model as the service names it
 * @returns null when the page does not know the model
 */
export function readNvInference(text: string, model: string): Counters | null {
  const sums = {
    nv_inference_request_success: 0,
    nv_inference_request_failure: 0,
    nv_inference_request_duration_us: 0,
  };
  let isKnown = false;
  for (const line of text.split("\n")) {
    const groups = SAMPLE.exec(line)?.groups;
    const name = groups?.["name"] as keyof typeof sums | undefined;
    if (name === undefined || !(name in sums)) continue;
    if (MODEL_LABEL.exec(groups?.["labels"] ?? "")?.[1] !== model) continue;
    const value = Number(groups?.["value"]);
    if (!Number.isFinite(value)) continue;
    isKnown = true;
    sums[name] += value;
  }
  if (!isKnown) return null;
  const predictions = sums.nv_inference_request_success;
  const avgMs = predictions === 0 ? null : sums.nv_inference_request_duration_us / predictions / 1_000;
  return { predictions, errors: sums.nv_inference_request_failure, avgMs };
}
