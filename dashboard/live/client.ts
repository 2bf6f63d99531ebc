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
  type SetupRequest,
  type SignInRequest,
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

/** Long enough for a busy hub, short enough that nobody waits for ever. */
const DEADLINE_MS = 30_000;
const PAGE_SIZE = 1_000;
const enc = encodeURIComponent;

export type Credentials = z.infer<typeof SignInRequest>;
type Send = (path: string, init: RequestInit) => Promise<Response>;

/** @param send how a request is made: `fetch`, or a test's own with another address in front. */
export function connectToHub(send: Send) {
  async function call<T extends z.ZodType>(
    schema: T,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<z.infer<T>> {
    const { response, json } = await exchange(send, path, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw refusal(response.status, json);
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new ApiError("The hub's answer was not understood. Reload the page: the hub may be newer than it.", null);
  }

  /** Page after page until the end: a fleet is not cut off at the first thousand. */
  async function list<T extends z.ZodType>(item: T, path: string): Promise<z.infer<T>[]> {
    const all: z.infer<T>[] = [];
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? "" : `&cursor=${enc(cursor)}`;
      const page: { items: z.infer<T>[]; next_cursor: string | null } = await call(
        listOf(item),
        "GET",
        `${path}?limit=${PAGE_SIZE}${from}`,
      );
      all.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return all;
  }

  return {
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
    hold: (device: string, hold: { hours: number; reason: string } | null) =>
      call(Device, "PATCH", `/api/v1/devices/${enc(device)}`, { hold }),
    steer: (id: string, action: string, reason: string) =>
      call(Deployment, "POST", `/api/v1/deployments/${enc(id)}/${action}`, reason === "" ? {} : { reason }),
  };
}

export type HubClient = ReturnType<typeof connectToHub>;

export const api: HubClient = connectToHub((path, init) => fetch(path, init));

/** Ordinary ways of failing become one kind of error, with words for the reader. */
async function exchange(send: Send, path: string, init: RequestInit): Promise<{ response: Response; json: unknown }> {
  try {
    const response = await send(path, init);
    const body = await response.text();
    return { response, json: parseJson(body) };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(
      isLate ? `The hub did not answer within ${DEADLINE_MS / 1_000} s.` : "The hub cannot be reached.",
      null,
    );
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function refusal(status: number, json: unknown): ApiError {
  const { data: problem } = Problem.safeParse(json);
  return problem
    ? new ApiError(problem.detail ?? problem.title, problem)
    : new ApiError(`The hub answered ${status}.`, null);
}
