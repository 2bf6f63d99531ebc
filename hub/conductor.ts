// The conductor: load, decide in core, save. It is level-triggered, so a hub that was killed simply goes on.
import type { Logger } from "pino";
import type { Changes } from "./changes.ts";
import { decideDeployment, type Decision } from "./core/deployment.ts";
import { decisionFacts, figuresOf, type Figures } from "./facts.ts";
import { readFleet } from "./fleet.ts";
import type { Presence } from "./presence.ts";
import type { Publisher } from "./publisher.ts";
import type { DeploymentRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface Conductor {
  /** Looks again soon, whatever the interval. */
  wake(): void;
  stop(): Promise<void>;
}

interface Settings {
  store: Store;
  changes: Changes;
  presence: Presence;
  publisher: Publisher;
  gateSoakSeconds: number;
  now: () => number;
  log: Pick<Logger, "error" | "info">;
}

const INTERVAL_MS = 1_000;
const FLUSH_EVERY = 60;
const ACTOR = "conductor";

export function startConductor(settings: Settings): Conductor {
  const { store, changes, presence, publisher, log } = settings;
  const stop = new AbortController();
  let ring: () => void = () => undefined;
  let rounds = 0;

  const round = async () => {
    changes.touch({ devices: new Set(presence.changed()) });
    for (const deployment of await store.deployments.open()) await conduct(settings, deployment);
    // Freshness: a manifest that nears its end is sealed again.
    if (rounds % FLUSH_EVERY === 0) {
      await publisher.refresh();
      await presence.flush();
    }
    rounds += 1;
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      await round().catch((error: unknown) => log.error({ err: error }, "the conductor failed and tries again"));
      await new Promise<void>((resolve) => {
        ring = resolve;
        setTimeout(resolve, INTERVAL_MS);
        if (stop.signal.aborted) resolve();
      });
    }
    await presence.flush();
  })();

  return {
    wake: () => ring(),
    async stop() {
      stop.abort();
      ring();
      await loop;
    },
  };
}

async function conduct(settings: Settings, deployment: DeploymentRecord): Promise<void> {
  const { store, changes, presence, publisher, gateSoakSeconds, now } = settings;
  const fleet = await readFleet(store, presence);
  const figures = await figuresOf(store, fleet, deployment, { soakSeconds: gateSoakSeconds, nowMs: now() });
  const decision = decideDeployment(decisionFacts(deployment, figures));
  if (decision) {
    await changes.make(ACTOR, (change) => save(change, deployment, figures, decision));
    await publisher.refresh(deployment.groups);
    return;
  }
  if (verdictsOf(figures.gate) !== verdictsOf(deployment.gate) || deployment.kind === "pilot") {
    await store.deployments.update(deployment.id, { gate: figures.gate });
    changes.touch({ deployments: new Set([deployment.id]) });
  }
}

const verdictsOf = (gate: DeploymentRecord["gate"]) => gate?.conditions.map(({ verdict }) => verdict).join() ?? "";

async function save(
  { tx, at, tell, touched }: Parameters<Parameters<Changes["make"]>[1]>[0],
  deployment: DeploymentRecord,
  figures: Figures,
  decision: Decision,
): Promise<void> {
  // Somebody may have acted between the look and now: their word stands, the next round sees it.
  const current = await tx.deployments.find(deployment.id);
  if (current?.state !== deployment.state) return;
  await tx.deployments.update(deployment.id, {
    state: decision.state,
    state_reason: decision.reason,
    gate: figures.gate,
    ...(decision.soaking === "start" && !deployment.soaking_since ? { soaking_since: at } : {}),
    ...(decision.soaking === "clear" ? { soaking_since: null } : {}),
    ...(decision.state === "finished" ? { finished_at: at } : {}),
  });
  touched.deployments.add(deployment.id);
  if (decision.state === deployment.state) return;
  for (const { id } of figures.members) touched.devices.add(id);
  await tell(`deployment.${decision.state}`, deployment.id, `${deployment.version}: ${decision.reason}`, {
    deployment_id: deployment.id,
    version: deployment.version,
    gate: figures.gate,
  });
}
