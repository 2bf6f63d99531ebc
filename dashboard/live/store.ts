// The one store: state, who listens to it, and the stream that feeds it. Elements take part through StoreController.
import type { LiveMessage, Session } from "@context-edge/protocol";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { api, type Credentials } from "./client.ts";
import { applyConnection, applyMessages, applySession, applySnapshot } from "./reducers.ts";
import { followEvents, type EventStream } from "./sse.ts";
import { EMPTY_STATE, type FleetState, type Snapshot } from "./state.ts";

/** The part of the hub that the store itself asks. */
export interface HubPort {
  session(): Promise<Session>;
  signIn(credentials: Credentials): Promise<Session>;
  signOut(): Promise<Session>;
  snapshot(session: Session): Promise<Snapshot>;
}

export interface StorePorts {
  hub: HubPort;
  openStream(): EventStream;
  /** Runs `work` once, soon: what comes until then is shown together. */
  soon(work: () => void): void;
  /** Runs `work` once after `delayMs`. @returns a function that forgets about it. */
  later(delayMs: number, work: () => void): () => void;
}

const BROWSER: StorePorts = {
  hub: api,
  openStream: () => new EventSource("/api/v1/events"),
  // With the next frame, or where nobody sees one, now and then.
  soon: (work) => {
    if (document.hidden) setTimeout(work, HIDDEN_MS);
    else requestAnimationFrame(work);
  },
  later: (delayMs, work) => {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

const HIDDEN_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const nothing = () => undefined;

export class FleetStore {
  #state: FleetState = EMPTY_STATE;
  readonly #listeners = new Set<() => void>();
  readonly #ports: StorePorts;
  #hangUp: () => void = nothing;
  #forgetRetry: () => void = nothing;
  #failures = 0;
  #isStreaming = false;
  /** Messages that arrived during a fetch: its answer may be older than they are. Null while nothing is being fetched. */
  #meanwhile: LiveMessage[] | null = null;
  #isStale = false;
  /** Messages that wait to be shown together. */
  #fresh: LiveMessage[] = [];

  constructor(ports: StorePorts = BROWSER) {
    this.#ports = ports;
  }

  get state(): FleetState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Session first; without a sign-in there is nothing else to ask for. */
  async start(): Promise<void> {
    this.#stop();
    try {
      const session = await this.#ports.hub.session();
      this.#set(applySession(this.#state, session));
      if (session.signed_in) this.#listen();
    } catch (error) {
      this.#lose(error, () => void this.start());
    }
  }

  async signIn(credentials: Credentials): Promise<void> {
    await this.#ports.hub.signIn(credentials);
    await this.start();
  }

  async signOut(): Promise<void> {
    const session = await this.#ports.hub.signOut();
    this.#stop();
    this.#set(applySession(this.#state, session));
  }

  /** Whatever was missed while away is in the snapshot: it is fetched on every (re)connection. */
  #listen(): void {
    this.#hangUp = followEvents(this.#ports.openStream(), {
      onOpen: () => {
        this.#isStreaming = true;
        void this.#refresh();
      },
      onCut: () => {
        this.#isStreaming = false;
        this.#set(applyConnection(this.#state, "lost"));
      },
      // Perhaps the hub is starting, perhaps the sign-in has expired: the session tells.
      onGivenUp: () => this.#lose(null, () => void this.start()),
      onMessage: (message) => {
        if (message.type === "reset") return void this.#refresh();
        this.#meanwhile?.push(message);
        this.#fresh.push(message);
        if (this.#fresh.length === 1) this.#ports.soon(() => this.#showFresh());
      },
    });
  }

  #showFresh(): void {
    const messages = this.#fresh;
    this.#fresh = [];
    this.#set(applyMessages(this.#state, messages));
  }

  /** One fetch at a time; whoever asks during one is served by another right after it. */
  async #refresh(): Promise<void> {
    this.#forgetRetry();
    if (this.#meanwhile) {
      this.#isStale = true;
      return;
    }
    this.#isStale = false;
    await this.#catchUp(this.#hangUp);
    if (this.#isStale) await this.#refresh();
  }

  /** @param follows the stream this was asked for; when another has taken its place, the answer is of no use. */
  async #catchUp(follows: () => void): Promise<void> {
    const meanwhile: LiveMessage[] = [];
    this.#meanwhile = meanwhile;
    try {
      const session = await this.#ports.hub.session();
      const snapshot = session.signed_in ? await this.#ports.hub.snapshot(session) : null;
      if (follows !== this.#hangUp) return;
      if (!snapshot) {
        this.#stop();
        this.#set(applySession(this.#state, session));
        return;
      }
      // Replaying what came meanwhile may show an older state for a moment, never for good: what is newer still follows.
      const caughtUp = applyMessages(applySnapshot(this.#state, snapshot), meanwhile);
      this.#failures = 0;
      this.#set(applyConnection(caughtUp, this.#isStreaming ? "live" : "lost"));
    } catch (error) {
      if (follows === this.#hangUp) this.#lose(error, () => void this.#refresh());
    } finally {
      this.#meanwhile = null;
    }
  }

  #stop(): void {
    this.#fresh = [];
    this.#forgetRetry();
    this.#hangUp();
    this.#hangUp = nothing;
    this.#isStreaming = false;
  }

  /** Says that it is lost, and tries again by itself, ever more slowly. */
  #lose(why: unknown, again: () => void): void {
    this.#set(applyConnection(this.#state, "lost", why instanceof Error ? why.message : null));
    this.#forgetRetry();
    this.#forgetRetry = this.#ports.later(retryDelayMs(this.#failures), again);
    this.#failures += 1;
  }

  #set(state: FleetState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

export function retryDelayMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
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
