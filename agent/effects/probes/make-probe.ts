// The probe the settings ask for.
import type { Config } from "../../config.ts";
import type { Http } from "../http.ts";
import { commandProbe } from "./command.ts";
import { noProbe } from "./none.ts";
import { oipClient } from "./oip-client.ts";
import { oipProbe } from "./oip.ts";
import type { Probe } from "./probe.ts";

export function makeProbe(config: Config, http: Http, servedName: string): Probe {
  const makers: Record<Config["AGENT_PROBE"], () => Probe> = {
    oip: () => oipProbe(oipClient(http, config.AGENT_INFERENCE_URL, servedName)),
    command: () => commandProbe(config.AGENT_PROBE_COMMAND ?? []),
    none: () => noProbe(),
  };
  return makers[config.AGENT_PROBE]();
}
