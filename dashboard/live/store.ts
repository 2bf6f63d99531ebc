// The one store: state, who listens to it, and the stream that feeds it. Elements take part through StoreController.
import { LiveMessage } from "@context-edge/protocol";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { api, ApiError } from "./client.ts";
import { applyConnection, applyMessage, applySnapshot } from "./reducers.ts";
import { EMPTY_STATE, type FleetState } from "./state.ts";

export class FleetStore {
  #state: FleetState = EMPTY_STATE;
  readonly #listeners = new Set<() => void>();
  #stream: EventSource | undefined;

  get state(): FleetState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Session first; without a sign-in there is nothing else to ask for. */
  async start(): Promise<void> {
    try {
      const session = await api.session();
      this.#set({ ...this.#state, session });
      if (session.signed_in) this.#listen();
    } catch {
      this.#set(applyConnection(this.#state, "lost"));
      setTimeout(() => void this.start(), 2_000);
    }
  }

  async signIn(token: string): Promise<void> {
    await api.signIn(token);
    await this.start();
  }

  /** Whatever was missed while away is in the snapshot: it is fetched on every (re)connection. */
  #listen(): void {
    this.#stream?.close();
    const stream = new EventSource("/api/v1/events");
    this.#stream = stream;
    stream.addEventListener("open", () => void this.#refresh());
    stream.addEventListener("error", () => this.#set(applyConnection(this.#state, "lost")));
    stream.addEventListener("message", (message: MessageEvent<string>) => {
      const parsed = LiveMessage.safeParse(JSON.parse(message.data));
      if (!parsed.success) return;
      if (parsed.data.type === "reset") void this.#refresh();
      else this.#set(applyMessage(this.#state, parsed.data));
    });
  }

  async #refresh(): Promise<void> {
    try {
      const session = await api.session();
      const snapshot = await api.snapshot(session);
      this.#set(applyConnection(applySnapshot(this.#state, snapshot), "live"));
    } catch (error) {
      if (error instanceof ApiError && error.problem?.code === "UNAUTHENTICATED") return this.start();
      this.#set(applyConnection(this.#state, "lost"));
    }
  }

  #set(state: FleetState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Re-renders its host whenever the store changes. */
export class StoreController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #store: FleetStore;
  #leave: () => void = () => undefined;

  constructor(host: ReactiveControllerHost, store: FleetStore) {
    this.#host = host;
    this.#store = store;
    host.addController(this);
  }

  hostConnected(): void {
    this.#leave = this.#store.subscribe(() => this.#host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#leave();
  }
}
