// What the performers and the loop work with: one set of tools per model, made once at the start.
import type { Inventory, ModelName, PublicKey } from "@context-edge/protocol";
import type { Got } from "got";
import type { Logger } from "pino";
import type { Asked } from "./core/wish.ts";
import type { Fingerprints } from "./effects/digest.ts";
import type { Documents } from "./effects/documents.ts";
import type { History } from "./effects/history.ts";
import type { ModelDirectory } from "./effects/model-directory.ts";
import type { Outbox } from "./effects/outbox.ts";
import type { Probe } from "./effects/probes/probe.ts";
import type { Reloader } from "./effects/reloaders/reloader.ts";
import type { Session } from "./effects/session.ts";

export interface Tools {
  model: ModelName;
  directory: ModelDirectory;
  prints: Fingerprints;
  probe: Probe;
  reloader: Reloader;
  documents: Documents;
  outbox: Outbox;
  history: History;
  session: Session;
  client: Got;
  hubUrl: string;
  artifactOrigins: readonly string[];
  releaseKeys: readonly PublicKey[];
  inventory: Inventory;
  log: Logger;
  /** What the manifest asks for now, with the sealed statement. */
  asked(): Asked;
  /** Bytes of the download that runs, for whoever is watching; null when none does. */
  progress(bytes: number | null): void;
}
