// The reloader the settings ask for. What few devices use is loaded when it is first needed, so that an idle agent stays small.
import type { Config } from "../../config.ts";
import type { Http } from "../http.ts";
import { clusterAccess } from "./cluster-access.ts";
import { commandReloader } from "./command.ts";
import { dbusReloader } from "./dbus.ts";
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
      later(async () => {
        const { kubernetesReloader } = await import("./kubernetes.ts");
        return kubernetesReloader(http, {
          selector: config.AGENT_KUBERNETES_SELECTOR,
          node: config.AGENT_NODE_NAME ?? "",
          access: () => clusterAccess(process.env, config.AGENT_KUBERNETES_NAMESPACE),
        });
      }),
    none: () => noReloader(),
  };
  return makers[config.AGENT_RELOADER]();
}

function later(make: () => Promise<Required<Reloader>>): Reloader {
  let made: Promise<Required<Reloader>> | undefined;
  return {
    takes: "at-once",
    reload: async (reloading, signal) => (await (made ??= make())).reload(reloading, signal),
    obstacle: async (signal) => (await (made ??= make())).obstacle(signal),
    isCrashing: async (signal) => (await (made ??= make())).isCrashing(signal),
  };
}
