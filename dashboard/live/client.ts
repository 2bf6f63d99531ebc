// Calls to the hub that pages make, by what they are for.
import {
  AdmissionReply,
  type CreateDeploymentRequest,
  Deployment,
  DeploymentPreview,
  DeployReply,
  Device,
  Event,
  Group,
  LabelSeries,
  type LabelSeriesQuery,
  listOf,
  OutcomeReport,
  PilotMetrics,
  Quarantine,
  ReviewReply,
  Series,
  type SeriesQuery,
  Session,
  type SetupRequest,
  type SignInRequest,
  Version,
} from "@context-edge/protocol";
import { z } from "zod";
import { askHealth } from "./hub-health.ts";
import { settingsOf } from "./client-settings.ts";
import { enc, openLine, PAGE_SIZE, type Send } from "./line.ts";
import type { Snapshot } from "./state.ts";

export { ApiError } from "./line.ts";
export type Credentials = z.infer<typeof SignInRequest>;
/** As a person writes it: what is left out is the hub's to fill in. */
export type DeploymentPlan = z.input<typeof CreateDeploymentRequest>;
export interface AuditFilter {
  kind?: string;
  actor?: string;
  subject?: string;
  from?: string;
  to?: string;
  q?: string;
}

/** Without what is empty or undefined. */
function queryOf(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
}

/** @param send how a request is made: `fetch`, or a test's own with another address in front. */
export function connectToHub(send: Send) {
  const line = openLine(send);
  const { call, list } = line;
  return {
    health: () => askHealth(call),
    session: () => call(Session, "GET", "/api/v1/session"),
    signIn: (credentials: Credentials) => call(Session, "POST", "/api/v1/session", credentials),
    setUp: (account: z.infer<typeof SetupRequest>) => call(Session, "POST", "/api/v1/setup", account),
    signOut: () => call(Session, "DELETE", "/api/v1/session"),
    async snapshot(session: Session): Promise<Snapshot> {
      const [devices, groups, versions, deployments] = await Promise.all([
        list(Device, "/api/v1/devices"),
        list(Group, "/api/v1/groups"),
        list(Version, "/api/v1/models/default/versions"),
        // The newest are enough to work with; a history of years is not carried along.
        call(listOf(Deployment), "GET", `/api/v1/deployments?limit=${PAGE_SIZE}`).then(({ items }) => items),
      ]);
      return { session, devices, groups, versions, deployments };
    },
    audit: (cursor: string | null, filter: AuditFilter = {}) =>
      call(listOf(Event), "GET", `/api/v1/audit?${queryOf({ limit: "50", cursor, ...filter })}`),
    series: (query: Partial<z.input<typeof SeriesQuery>>) => call(Series, "GET", `/api/v1/series?${queryOf(query)}`),
    labels: (query: Partial<z.input<typeof LabelSeriesQuery>>) =>
      call(LabelSeries, "GET", `/api/v1/series/labels?${queryOf(query)}`),
    outcomes: (device: string) =>
      call(listOf(OutcomeReport).partial({ next_cursor: true }), "GET", `/api/v1/devices/${enc(device)}/outcomes`),
    metrics: (version: string) => call(PilotMetrics, "GET", `/mlops/deployment/${enc(version)}/metrics`),
    approve: (version: string) => call(ReviewReply, "POST", `/mlops/models/${enc(version)}/approve`, {}),
    reject: (version: string, reason: string) =>
      call(ReviewReply, "POST", `/mlops/models/${enc(version)}/reject`, { reason }),
    archive: (version: string, reason: string) =>
      call(Version, "POST", `/api/v1/models/default/versions/${enc(version)}/archive`, { reason }),
    unarchive: (version: string) =>
      call(Version, "POST", `/api/v1/models/default/versions/${enc(version)}/unarchive`, {}),
    deployPilot: (version: string, ids: readonly string[]) =>
      call(DeployReply, "POST", `/mlops/models/${enc(version)}/deploy-pilot`, { pilot_device_ids: ids }),
    deployAll: (version: string, overrideReason?: string) =>
      call(
        DeployReply,
        "POST",
        `/mlops/models/${enc(version)}/deploy-all`,
        overrideReason === undefined ? {} : { override: { reason: overrideReason } },
      ),
    assign: (group: string, version: string, reason?: string) =>
      call(Deployment, "PUT", `/api/v1/groups/${enc(group)}/target`, { version, ...(reason ? { reason } : {}) }),
    preview: (plan: DeploymentPlan) => call(DeploymentPreview, "POST", "/api/v1/deployments/preview", plan),
    deploy: (plan: DeploymentPlan) => call(Deployment, "POST", "/api/v1/deployments", plan),
    createGroup: (name: string) => call(Group, "POST", "/api/v1/groups", { name }),
    move: (device: string, group: string) => call(Device, "PATCH", `/api/v1/devices/${enc(device)}`, { group }),
    hold: (device: string, hold: { hours: number; reason: string } | null) =>
      call(Device, "PATCH", `/api/v1/devices/${enc(device)}`, { hold }),
    pin: (device: string, version: string, reason: string) =>
      call(Device, "PUT", `/api/v1/devices/${enc(device)}/pin`, { version, reason }),
    unpin: (device: string) => call(Device, "DELETE", `/api/v1/devices/${enc(device)}/pin`),
    decommission: (device: string, reason: string) =>
      call(AdmissionReply, "POST", `/api/v1/devices/${enc(device)}/decommission`, { reason }),
    steer: (id: string, action: string, reason: string) =>
      call(Deployment, "POST", `/api/v1/deployments/${enc(id)}/${action}`, reason === "" ? {} : { reason }),
    /** @param override the reason for going on although the gate has not passed. */
    promote: (id: string, to: "next" | "end", override?: string) =>
      call(Deployment, "POST", `/api/v1/deployments/${enc(id)}/promote`, {
        to,
        ...(override === undefined ? {} : { override: { reason: override } }),
      }),
    deleteGroup: (name: string) => call(z.unknown(), "DELETE", `/api/v1/groups/${enc(name)}`),
    quarantine: (version: string, reason: string) =>
      call(z.unknown(), "POST", "/api/v1/quarantines", { version, reason }),
    quarantines: () => list(Quarantine, "/api/v1/quarantines"),
    lift: (digest: string, reason: string) =>
      call(Quarantine, "POST", `/api/v1/quarantines/${digest}/lift`, { reason }),
    ...settingsOf(line),
  };
}

export type HubClient = ReturnType<typeof connectToHub>;

export const api: HubClient = connectToHub((path, init) => fetch(path, init));
