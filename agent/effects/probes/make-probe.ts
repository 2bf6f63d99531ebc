// The probe the settings ask for.
import type { Config } from "../../config.ts";
import type { Http } from "../http.ts";
import { commandProbe } from "./command.ts";
import { noProbe } from "./none.ts";
import { oipClient } from "./oip-client.ts";
import { oipProbe } from "./oip.ts";
import type { Probe } from "./probe.ts";
import { trtexecProbe } from "./trtexec.ts";

/** @param link absolute path of the model's slot link */
export function makeProbe(config: Config, http: Http, servedName: string, link: string): Probe {
  const makers: Record<Config["AGENT_PROBE"], () => Probe> = {
    oip: () => oipProbe(oipClient(http, config.AGENT_INFERENCE_URL, servedName, config.AGENT_METRICS_URL)),
    trtexec: () => trtexecProbe({ program: config.AGENT_TRTEXEC, more: config.AGENT_TRTEXEC_ARGS ?? [], link }),
    command: () => commandProbe({ argv: config.AGENT_PROBE_COMMAND ?? [], link }),
    none: () => noProbe(),
  };
  return makers[config.AGENT_PROBE]();
}
