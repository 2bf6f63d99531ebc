// What the status page and `/status.json` say: the device's own view, gathered at one moment.
import type { Observed, ObservedModel, Trouble } from "@context-edge/protocol";
import type { Agent } from "../agent.ts";
import { headlineOf, type Headline, wishWords } from "../core/words.ts";
import { troubleOf } from "../core/words.ts";
import type { PastAttempt } from "../effects/history.ts";

export interface ModelStatus extends ObservedModel {
  headline: Headline;
  wish: string;
  trouble: Trouble | null;
}

export interface StatusDocument {
  device: string;
  group: string | null;
  at: string;
  phase: Observed["phase"];
  models: Record<string, ModelStatus>;
  /** The gravest problem, with what to do. */
  trouble: Trouble | null;
  hub: {
    url: string;
    state: "never" | "answering" | "failing";
    last_answer_at: string | null;
    trouble: Trouble | null;
  };
  manifest_sequence: number | null;
  /** Outcomes the hub has not acknowledged. */
  unreported: number;
  inventory: Observed["inventory"];
  /** Newest first. */
  history: readonly PastAttempt[];
}

export async function statusDocument(agent: Agent, signal: AbortSignal): Promise<StatusDocument> {
  const observed = await agent.observe(signal);
  const models: Record<string, ModelStatus> = {};
  for (const worker of agent.opened()) {
    const view = observed.models[worker.model];
    if (!view) continue;
    const { journal, disk, wish } = worker.latest();
    const trouble = troubleOf(journal, disk);
    models[worker.model] = {
      ...view,
      headline: headlineOf(journal, disk, trouble),
      wish: wishWords(wish, journal, disk),
      trouble,
    };
  }
  const { link, config } = agent;
  return {
    device: config.AGENT_DEVICE_ID,
    group: agent.documents.assignment()?.group ?? null,
    at: observed.at,
    phase: observed.phase,
    models,
    trouble: observed.trouble ?? link.trouble,
    hub: { url: config.AGENT_HUB_URL, state: link.state, last_answer_at: link.lastAnswerAt, trouble: link.trouble },
    manifest_sequence: observed.manifest_sequence,
    unreported: agent.outbox.pending().length,
    inventory: observed.inventory,
    history: agent.history.all(),
  };
}
