// What the status page and `/status.json` say: the device's own view, gathered at one moment.
import type { ModelName, Observed, ObservedModel, Telemetry, Trouble } from "@context-edge/protocol";
import type { Agent } from "../agent.ts";
import { linkNameOf } from "../config.ts";
import { timestamp } from "../core/instant.ts";
import type { HoldBy } from "../core/permit.ts";
import { staleTrouble } from "../core/stale.ts";
import { type Headline, headlineOf, troubleOf, wishWords } from "../core/words.ts";
import type { PastAttempt } from "../effects/history.ts";

export interface ModelStatus extends ObservedModel {
  /** Name of the slot link, such as `current.trt`; the backup's adds `.backup`. */
  link: string;
  headline: Headline;
  wish: string;
  trouble: Trouble | null;
}

export interface StatusDocument {
  device: string;
  group: string | null;
  /** The best the device knows: never before the last signed time, whatever its clock shows. */
  at: string;
  clock: {
    /** What the device's own clock shows. */
    at: string;
    /** It stands before what the device knows for certain, for example in 1970. */
    looks_wrong: boolean;
  };
  phase: Observed["phase"];
  models: Record<ModelName, ModelStatus>;
  /** The gravest problem, with what to do. */
  trouble: Trouble | null;
  hold: HoldBy | null;
  telemetry: Telemetry | null;
  /** A PIN is configured: the page may change something. */
  can_act: boolean;
  hub: {
    /** Without user and password, if it had any. */
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
  const { link, config } = agent;
  const models: StatusDocument["models"] = {};
  for (const worker of agent.opened()) {
    const view = observed.models[worker.model];
    if (!view) continue;
    const { journal, disk, wish } = worker.latest();
    const trouble = troubleOf(journal, disk) ?? staleTrouble({ journal, disk, wish });
    models[worker.model] = {
      ...view,
      link: linkNameOf(config, worker.model),
      headline: headlineOf({ journal, disk, trouble, waiting: view.waiting }),
      wish: wishWords(wish, journal, disk),
      trouble,
    };
  }
  return {
    device: config.AGENT_DEVICE_ID,
    group: agent.documents.assignment()?.group ?? null,
    at: observed.at,
    clock: { at: timestamp(Date.now()), looks_wrong: !agent.clock.isPlausible() },
    phase: observed.phase,
    models,
    trouble: observed.trouble ?? link.trouble,
    hold: agent.hold(),
    telemetry: observed.telemetry,
    can_act: config.pin !== null,
    hub: {
      url: withoutCredentials(config.AGENT_HUB_URL),
      state: link.state,
      last_answer_at: link.lastAnswerAt,
      trouble: link.trouble,
    },
    manifest_sequence: observed.manifest_sequence,
    unreported: agent.outbox.pending().length,
    inventory: observed.inventory,
    history: agent.history.all(),
  };
}

/** Whoever reads the page must not learn what the agent signs in with. */
export function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = "";
  url.password = "";
  // An address is told as it was written: without the slash that parsing adds.
  return url.pathname === "/" && !address.endsWith("/") ? url.href.slice(0, -1) : url.href;
}
