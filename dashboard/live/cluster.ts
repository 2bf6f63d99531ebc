// The cluster as pages show it: who is in trouble, worst first, and a look that is repeated while a page shows it.
import type { ClusterNode, ClusterView, NodeTrouble, NodeTroubleCode } from "@context-edge/protocol";
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Lower is worse. Who is cordoned is so on purpose. */
const RANK: Record<NodeTroubleCode, number> = {
  NOT_READY: 0,
  NO_AGENT: 1,
  AGENT_NOT_READY: 2,
  NO_DEVICE: 3,
  LABEL_REFUSED: 4,
  LABEL_NOT_WRITTEN: 5,
  CORDONED: 6,
};

const worstOf = ({ troubles }: ClusterNode) => Math.min(...troubles.map(({ code }) => RANK[code]));

export function nodesInTrouble({ nodes }: Pick<ClusterView, "nodes">): ClusterNode[] {
  return nodes.filter(({ troubles }) => troubles.length > 0).toSorted((a, b) => worstOf(a) - worstOf(b));
}

export const troublesOfDevice = ({ nodes }: Pick<ClusterView, "nodes">, device: string): readonly NodeTrouble[] =>
  nodes.find((node) => node.device === device)?.troubles ?? [];

interface Ports {
  fetch(): Promise<ClusterView>;
  /** @returns a function that forgets about it */
  every(periodMs: number, work: () => void): () => void;
}

const PERIOD_MS = 15_000;

/** Nobody tells the dashboard of nodes: it asks again while the page is open, and not at all where there is no cluster. */
export class ClusterLook implements ReactiveController {
  view: ClusterView | null = null;
  failure: Error | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #ports: Ports;
  #stop: () => void = () => undefined;

  constructor(host: ReactiveControllerHost, ports: Ports) {
    this.#host = host;
    this.#ports = ports;
    host.addController(this);
  }

  hostConnected(): void {
    this.#stop = this.#ports.every(PERIOD_MS, () => void this.look());
    void this.look();
  }

  hostDisconnected(): void {
    this.#stop();
  }

  async look(): Promise<void> {
    try {
      this.view = await this.#ports.fetch();
      this.failure = null;
      if (this.view.state === "off") this.#stop();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
    this.#host.requestUpdate();
  }
}
