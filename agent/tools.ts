// The tools of one model, made once: its directory, its probe and reloader, and what all models share.
import type { DeviceId, Inventory, Manifest, ModelName, PublicKey } from "@context-edge/protocol";
import type { Logger } from "pino";
import { type Config, linkNameOf, servedNameOf } from "./config.ts";
import { instant } from "./core/instant.ts";
import type { Permit } from "./core/permit.ts";
import { type Asked, wishOf } from "./core/wish.ts";
import type { Fingerprints } from "./effects/digest.ts";
import type { DownloadLine } from "./effects/download-line.ts";
import type { Documents } from "./effects/documents.ts";
import type { History } from "./effects/history.ts";
import type { Http } from "./effects/http.ts";
import type { LocalOrders } from "./effects/local-orders.ts";
import { modelDirectory } from "./effects/model-directory.ts";
import type { Outbox } from "./effects/outbox.ts";
import { makeProbe } from "./effects/probes/make-probe.ts";
import { makeReloader } from "./effects/reloaders/make-reloader.ts";
import type { Session } from "./effects/session.ts";
import { vetoHook } from "./effects/veto.ts";
import type { Space, Tools } from "./ports.ts";

/** What every model of the device works with. */
export interface Shared {
  config: Config;
  modelsDir: string;
  log: Logger;
  web: Http;
  inventory: Inventory;
  documents: Documents;
  session: Session;
  outbox: Outbox;
  history: History;
  orders: LocalOrders;
  prints: Fingerprints;
  permit: () => Permit;
  line: DownloadLine;
  space: Space;
}

/** What moves beside the loop, for whoever watches it. */
export type Watchers = Pick<Tools, "progress" | "building">;

export function toolsFor(shared: Shared, model: ModelName, watchers: Watchers): Tools {
  const { config, web, log, orders } = shared;
  const servedName = servedNameOf(config, model);
  const directory = modelDirectory(shared.modelsDir, model, linkNameOf(config, model));
  return {
    model,
    directory,
    prints: shared.prints,
    probe: makeProbe(config, web, servedName, directory.currentLink),
    reloader: makeReloader(config, web, servedName),
    documents: shared.documents,
    outbox: shared.outbox,
    history: shared.history,
    session: shared.session,
    line: shared.line,
    space: shared.space,
    hubUrl: config.AGENT_HUB_URL,
    artifactOrigins: config.AGENT_ARTIFACT_ORIGINS,
    releaseKeys: config.releaseKeys,
    inventory: shared.inventory,
    log,
    permit: shared.permit,
    order: () => orders.rollback(model),
    askLeave: vetoHook({ argv: config.AGENT_VETO_COMMAND, retryMs: config.AGENT_VETO_RETRY_MS, log }),
    asked: askedOf(shared, model, config.AGENT_DEVICE_ID, config.releaseKeys),
    builds: { program: config.AGENT_TRTEXEC, isAnyTime: config.AGENT_BUILD_WHEN === "any-time" },
    ...watchers,
  };
}

/** The wish follows from the manifest alone and costs a signature check, so it is worked out once per manifest. */
function askedOf(
  { documents, inventory }: Shared,
  model: ModelName,
  device: DeviceId,
  releaseKeys: readonly PublicKey[],
): () => Asked {
  let last: { manifest: Manifest | null; isExpired: boolean; asked: Asked } | null = null;
  return () => {
    const manifest = documents.manifest();
    const now = documents.now();
    const isExpired = manifest !== null && instant(manifest.expires_at) <= now;
    if (last === null || last.manifest !== manifest || last.isExpired !== isExpired) {
      last = { manifest, isExpired, asked: wishOf({ manifest, model, device, inventory, releaseKeys, now }) };
    }
    return last.asked;
  };
}
