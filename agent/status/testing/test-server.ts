// The real status server over a document, with actions that are only remembered: for tests and screenshots.
import type { FastifyInstance } from "fastify";
import type { StatusDocument } from "../document.ts";
import { statusServer, type StatusSource } from "../server.ts";
import { NOW } from "./facts.ts";

export const TEST_PIN = "471108";

export interface TestServer {
  app: FastifyInstance;
  /** What was ordered, in words. */
  ordered: string[];
  /** Replaces the document and tells every open page. */
  show(document: StatusDocument): void;
  /** Moves the clock of locks and messages. */
  pass(ms: number): void;
}

export function testServer(document: StatusDocument, more: Partial<StatusSource> = {}): TestServer {
  const ordered: string[] = [];
  const listeners = new Set<() => void>();
  let shown = document;
  let elapsedMs = 1_000_000;
  const app = statusServer(
    {
      device: document.device,
      statusUrl: "http://line-3.factory.example:9090",
      pin: TEST_PIN,
      document: async () => shown,
      subscribe(tell) {
        listeners.add(tell);
        return () => listeners.delete(tell);
      },
      actions: {
        check: () => void ordered.push("check"),
        hold: async (hours, reason) => ordered.push(`hold ${hours} ${reason}`),
        release: async () => void ordered.push("release"),
        rollback: async (model) => {
          ordered.push(`rollback ${model}`);
          return null;
        },
      },
      diagnostics: async () => new Uint8Array([80, 75]),
      now: () => Date.parse(NOW),
      ...more,
    },
    () => elapsedMs,
  );
  return {
    app,
    ordered,
    show(next) {
      shown = next;
      for (const tell of listeners) tell();
    },
    pass(ms) {
      elapsedMs += ms;
    },
  };
}
