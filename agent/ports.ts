// What the performers and the loop work with: one set of tools per model, made once at the start.
import type { Inventory, ModelName, PublicKey } from "@context-edge/protocol";
import type { Logger } from "pino";
import type { Permit } from "./core/permit.ts";
import type { Order } from "./core/state.ts";
import type { Asked } from "./core/wish.ts";
import type { Transfer } from "./core/transfer-rate.ts";
import type { Stages } from "./effects/builds/stages.ts";
import type { DownloadLine } from "./effects/download-line.ts";
import type { AskLeave } from "./effects/veto.ts";
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
  /** The way out for downloads, shared by all models. */
  line: DownloadLine;
  space: Space;
  hubUrl: string;
  artifactOrigins: readonly string[];
  releaseKeys: readonly PublicKey[];
  inventory: Inventory;
  log: Logger;
  /** Whether this device may change now. */
  permit(): Permit;
  /** What the person at the device ordered last. */
  order(): Order | null;
  /** Asks the device itself whether it may be disturbed. */
  askLeave: AskLeave;
  /** What the manifest asks for now, with the sealed statement. */
  asked(): Asked;
  builds: BuildSettings;
  /** The build that runs, for whoever is watching; null when none does. */
  building(stages: Stages | null): void;
  /** The download that runs, for whoever is watching; null when none does. */
  progress(transfer: Transfer | null): void;
}

export interface BuildSettings {
  /** AGENT_TRTEXEC. */
  program: string;
  /** Neither windows nor the device's veto are heeded. */
  isAnyTime: boolean;
}

/** The models' disk, as the operator divides it. */
export interface Space {
  /** `<models directory>/.agent` */
  ownDir: string;
  reserveBytes: number;
  budgetBytes: number | null;
  /** What the published files of all models take now. */
  published(): Promise<number>;
}
