// The reloader the settings ask for.
import type { Config } from "../../config.ts";
import type { Http } from "../http.ts";
import { clusterAccess } from "./cluster-access.ts";
import { commandReloader } from "./command.ts";
import { dbusReloader } from "./dbus.ts";
import { kubernetesReloader } from "./kubernetes.ts";
import { noReloader } from "./none.ts";
import type { Reloader } from "./reloader.ts";
import { systemdPathReloader } from "./systemd-path.ts";
import { tritonReloader } from "./triton.ts";
import { watchUnit } from "./unit-watch.ts";

export function makeReloader(config: Config, http: Http, servedName: string): Reloader {
  const makers: Record<Config["AGENT_RELOADER"], () => Reloader> = {
    command: () => commandReloader(config.AGENT_RELOAD_COMMAND ?? []),
    triton: () => tritonReloader(http, config.AGENT_INFERENCE_URL, servedName),
    "systemd-path": () => systemdPathReloader(config.AGENT_REQUEST_DIR, watchUnit(config.AGENT_UNIT)),
    dbus: () => dbusReloader(config.AGENT_UNIT),
    kubernetes: () =>
      kubernetesReloader(http, {
        selector: config.AGENT_KUBERNETES_SELECTOR,
        node: config.AGENT_NODE_NAME ?? "",
        access: () => clusterAccess(process.env, config.AGENT_KUBERNETES_NAMESPACE),
      }),
    none: () => noReloader(),
  };
  return makers[config.AGENT_RELOADER]();
}
