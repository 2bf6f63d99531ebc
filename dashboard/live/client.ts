// Calls to the hub: answers parsed by the protocol's schemas, refusals as errors that carry the problem document.
import {
  Deployment,
  DeployReply,
  Device,
  Event,
  Group,
  listOf,
  PilotMetrics,
  Problem,
  ReviewReply,
  Session,
  Version,
} from "@context-edge/protocol";
import { z } from "zod";
import type { Snapshot } from "./state.ts";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem | null;

  constructor(message: string, problem: Problem | null) {
    super(message);
    this.problem = problem;
  }
}

const enc = encodeURIComponent;

async function call<T extends z.ZodType>(schema: T, method: string, path: string, body?: unknown): Promise<z.infer<T>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError("The hub cannot be reached.", null);
  }
  const json: unknown = await response.json().catch(() => null);
  if (response.ok) return schema.parse(json);
  const problem = Problem.safeParse(json);
  if (problem.success) throw new ApiError(problem.data.detail ?? problem.data.title, problem.data);
  throw new ApiError(`The hub answered ${response.status}.`, null);
}

const list = async <T extends z.ZodType>(item: T, path: string): Promise<z.infer<T>[]> =>
  (await call(listOf(item), "GET", `${path}?limit=1000`)).items;

export const api = {
  session: () => call(Session, "GET", "/api/v1/session"),
  signIn: (token: string) => call(Session, "POST", "/api/v1/session", { token }),
  async snapshot(session: Session): Promise<Snapshot> {
    const [devices, groups, versions, deployments] = await Promise.all([
      list(Device, "/api/v1/devices"),
      list(Group, "/api/v1/groups"),
      list(Version, "/api/v1/models/default/versions"),
      list(Deployment, "/api/v1/deployments"),
    ]);
    return { session, devices, groups, versions, deployments };
  },
  audit: (cursor: string | null) =>
    call(listOf(Event), "GET", `/api/v1/audit?limit=50${cursor === null ? "" : `&cursor=${enc(cursor)}`}`),
  metrics: (version: string) => call(PilotMetrics, "GET", `/mlops/deployment/${enc(version)}/metrics`),
  approve: (version: string) => call(ReviewReply, "POST", `/mlops/models/${enc(version)}/approve`, {}),
  reject: (version: string, reason: string) =>
    call(ReviewReply, "POST", `/mlops/models/${enc(version)}/reject`, { reason }),
  deployPilot: (version: string, ids: readonly string[]) =>
    call(DeployReply, "POST", `/mlops/models/${enc(version)}/deploy-pilot`, { pilot_device_ids: ids }),
  deployAll: (version: string, overrideReason?: string) =>
    call(
      DeployReply,
      "POST",
      `/mlops/models/${enc(version)}/deploy-all`,
      overrideReason === undefined ? {} : { override: { reason: overrideReason } },
    ),
  assign: (group: string, version: string) =>
    call(Deployment, "PUT", `/api/v1/groups/${enc(group)}/target`, { version }),
  createGroup: (name: string) => call(Group, "POST", "/api/v1/groups", { name }),
  move: (device: string, group: string) => call(Device, "PATCH", `/api/v1/devices/${enc(device)}`, { group }),
  steer: (id: string, action: string, reason: string) =>
    call(Deployment, "POST", `/api/v1/deployments/${enc(id)}/${action}`, reason === "" ? {} : { reason }),
};
