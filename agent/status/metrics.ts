// The device's figures in Prometheus' text format, for whoever scrapes on the factory's own network.
import { Outcome, Phase, type Telemetry } from "@context-edge/protocol";
import { instant } from "../core/instant.ts";
import type { StatusDocument } from "./document.ts";

type Labels = Record<string, string>;
type Sample = [labels: Labels, value: number];

/** @param now milliseconds since the epoch */
export function renderMetrics(status: StatusDocument, now: number): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, samples: readonly Sample[]) => {
    if (samples.length === 0) return;
    lines.push(`# HELP context_edge_${name} ${help}`, `# TYPE context_edge_${name} gauge`);
    for (const [labels, value] of samples) lines.push(`context_edge_${name}${labelsOf(labels)} ${value}`);
  };
  const models = Object.entries(status.models);
  const per = (read: (model: StatusDocument["models"][string]) => number | null | undefined): Sample[] =>
    models.flatMap(([model, one]) => {
      const value = read(one);
      return value === null || value === undefined ? [] : [[{ model }, value] satisfies Sample];
    });
  const seconds = (at: string | null | undefined) => (at === null || at === undefined ? null : instant(at) / 1_000);

  gauge(
    "phase",
    "1 for the phase the agent is in.",
    Phase.options.map((phase) => [{ phase }, phase === status.phase ? 1 : 0]),
  );
  gauge(
    "model_info",
    "1 for the version a model's current slot holds.",
    models.flatMap(([model, { current }]) =>
      current ? [[{ model, version: current.version, digest: current.digest }, 1] satisfies Sample] : [],
    ),
  );
  gauge(
    "model_phase",
    "1 for the phase a model is in.",
    models.map(([model, { attempt }]) => [{ model, phase: attempt?.phase ?? "idle" }, 1]),
  );
  gauge(
    "model_waiting",
    "1 when a version is wanted and something keeps it waiting.",
    models.map(([model, { waiting }]) => [{ model, for: waiting?.for ?? "" }, waiting ? 1 : 0]),
  );
  gauge(
    "current_since_seconds",
    "When the running file was activated.",
    per((one) => seconds(one.current_since)),
  );
  gauge(
    "download_bytes",
    "Bytes fetched of the running download.",
    per((one) => one.attempt?.download?.bytes),
  );
  gauge(
    "download_total_bytes",
    "Size of the running download.",
    per((one) => one.attempt?.download?.total_bytes),
  );
  gauge(
    "last_outcome_seconds",
    "When the last attempt ended.",
    per((one) => seconds(one.last_outcome?.at)),
  );
  gauge(
    "last_outcome",
    "1 for how the last attempt ended.",
    models.flatMap(([model, { last_outcome: last }]) =>
      last ? Outcome.options.map((outcome): Sample => [{ model, outcome }, outcome === last.outcome ? 1 : 0]) : [],
    ),
  );
  gauge(
    "refused_digests",
    "Files this device refuses.",
    per((one) => one.quarantined.length),
  );
  gauge(
    "predictions",
    "Answers since the running file was activated.",
    per((one) => one.stats?.predictions),
  );
  gauge(
    "inference_errors",
    "Failed requests since the running file was activated.",
    per((one) => one.stats?.errors),
  );
  gauge(
    "inference_average_ms",
    "Mean time of an answer in milliseconds.",
    per((one) => one.stats?.avg_ms),
  );
  gauge("trouble", "1 when a person has to look.", [[{ code: status.trouble?.code ?? "" }, status.trouble ? 1 : 0]]);
  gauge("hold", "1 while the device is on hold.", [[{ by: status.hold?.by ?? "" }, status.hold ? 1 : 0]]);
  gauge("clock_wrong", "1 while the device's own clock cannot be right.", [[{}, status.clock.looks_wrong ? 1 : 0]]);
  gauge("hub_answering", "1 when the hub answered the last time.", [[{}, status.hub.state === "answering" ? 1 : 0]]);
  const answeredAt = status.hub.last_answer_at;
  const ageS =
    answeredAt === null ? null : Math.max(0, (Math.max(now, instant(status.at)) - instant(answeredAt)) / 1_000);
  gauge("hub_last_answer_age_seconds", "Time since the hub answered.", ageS === null ? [] : [[{}, ageS]]);
  gauge("outcomes_unreported", "Outcomes the hub has not acknowledged.", [[{}, status.unreported]]);
  for (const [name, help, samples] of telemetryGauges(status.telemetry)) gauge(name, help, samples);
  return `${lines.join("\n")}\n`;
}

function telemetryGauges(telemetry: Telemetry | null): [name: string, help: string, samples: Sample[]][] {
  if (!telemetry) return [];
  const one = (value: number | null): Sample[] => (value === null ? [] : [[{}, value]]);
  const each = (values: Record<string, number>, label: string): Sample[] =>
    Object.entries(values).map(([name, value]) => [{ [label]: name }, value]);
  return [
    ["cpu_percent", "Load of the CPU.", one(telemetry.cpu_percent)],
    ["gpu_percent", "Load of the GPU.", one(telemetry.gpu_percent)],
    ["temperature_celsius", "Temperature by zone.", each(telemetry.temperatures_c, "zone")],
    ["power_milliwatts", "Power by rail; rails overlap.", each(telemetry.power_mw, "rail")],
    ["overcurrent_events", "Over-current events since boot.", one(telemetry.overcurrent_events)],
    ["memory_total_bytes", "Memory.", one(telemetry.memory_total_bytes)],
    ["memory_available_bytes", "Memory a new process could have.", one(telemetry.memory_available_bytes)],
    ["disk_total_bytes", "Size of the models' filesystem.", one(telemetry.disk_total_bytes)],
    ["disk_free_bytes", "Free space of the models' filesystem.", one(telemetry.disk_free_bytes)],
    ["uptime_seconds", "Time since the device started.", one(telemetry.uptime_s)],
  ];
}

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
