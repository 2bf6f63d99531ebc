// A device on the real wire, as small as it can be: it enrols, holds polls and reports, at whichever hub it is told to ask.
import type { Answer, HubProcess } from "./hub-process.ts";

export interface WireDevice {
  id: string;
  /** @param wait seconds the hub may hold the poll */
  poll(hub: HubProcess, etag?: string, wait?: number): Promise<Answer>;
  /** Reports that it runs this version, and how it came to it. */
  commit(hub: HubProcess, model: { version: string; digest: string; deployment: string }): Promise<Answer>;
}

export async function enrolOn(hub: HubProcess, id: string, group: string): Promise<WireDevice> {
  const inventory = { agent_version: "test", arch: "arm64" };
  const enrolled = await hub.call("POST", "/device/v1/enroll", {
    join_token: "join-token-of-a-test",
    device_id: id,
    group,
    inventory,
  });
  if (enrolled.status !== 201) throw new Error(`${id} was not admitted: ${JSON.stringify(enrolled.body)}`);
  const headers = { authorization: `Bearer ${String(enrolled.body["credential"])}` };
  const outbox = crypto.randomUUID();
  let number = 0;
  return {
    id,
    poll: (at, etag, wait = 0) =>
      at.call("GET", "/device/v1/manifest", undefined, {
        ...headers,
        ...(etag === undefined ? {} : { "if-none-match": etag }),
        ...(wait > 0 ? { prefer: `wait=${wait}` } : {}),
      }),
    commit(hubNow, { version, digest, deployment }) {
      number += 1;
      const at = new Date().toISOString();
      const report = {
        model: "default",
        version,
        digest,
        deployment_id: deployment,
        outcome: "committed",
        code: "OK",
        message: "it runs",
        next_step: "",
        at,
        evidence: {},
      };
      const model = {
        current: { version, digest },
        backup: null,
        current_since: at,
        attempt: null,
        waiting: null,
        last_outcome: report,
        quarantined: [],
        stats: null,
      };
      const state = {
        at,
        phase: "idle",
        inventory,
        models: { default: model },
        hold: null,
        telemetry: null,
        trouble: null,
        manifest_sequence: null,
        status_url: null,
      };
      const body = { device: id, outbox, observed: { number, state }, outcomes: [{ number, report }] };
      return hubNow.call("POST", "/device/v1/reports", body, headers);
    },
  };
}
