// The device's figures in Prometheus' text format, for whoever scrapes on the factory's own network.
import { Phase } from "@context-edge/protocol";
import type { StatusDocument } from "./document.ts";

export function renderMetrics(status: StatusDocument): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, samples: readonly [Record<string, string>, number][]) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const [labels, value] of samples) lines.push(`${name}${labelsOf(labels)} ${value}`);
  };
  const models = Object.entries(status.models);
  gauge(
    "context_edge_phase",
    "1 for the phase the agent is in.",
    Phase.options.map((phase) => [{ phase }, phase === status.phase ? 1 : 0]),
  );
  gauge(
    "context_edge_model_info",
    "1 for the version a model's current slot holds.",
    models.flatMap(([model, { current }]) =>
      current ? [[{ model, ...current }, 1] as [Record<string, string>, number]] : [],
    ),
  );
  gauge("context_edge_trouble", "1 when a person has to look.", [
    [{ code: status.trouble?.code ?? "" }, status.trouble ? 1 : 0],
  ]);
  gauge("context_edge_hub_answering", "1 when the hub answered the last time.", [
    [{}, status.hub.state === "answering" ? 1 : 0],
  ]);
  gauge("context_edge_outcomes_unreported", "Outcomes the hub has not acknowledged.", [[{}, status.unreported]]);
  gauge(
    "context_edge_predictions",
    "Answers since the running file was activated.",
    models.flatMap(([model, { stats }]) =>
      stats ? [[{ model }, stats.predictions] as [Record<string, string>, number]] : [],
    ),
  );
  gauge(
    "context_edge_inference_errors",
    "Failed requests since the running file was activated.",
    models.flatMap(([model, { stats }]) =>
      stats ? [[{ model }, stats.errors] as [Record<string, string>, number]] : [],
    ),
  );
  return `${lines.join("\n")}\n`;
}

function labelsOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
