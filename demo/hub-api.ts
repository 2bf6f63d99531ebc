// The few hub calls the demo makes, in the place of a training job and of the engineer's first deployment.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Device, listOf, Problem, Version, type LabelledOutcome, type RegisterRequest } from "@context-edge/protocol";
import got, { HTTPError, type Got } from "got";
import type { z } from "zod";

export interface HubApi {
  isReady(): Promise<boolean>;
  upload(digest: string, file: string): Promise<void>;
  register(request: RegisterRequest): Promise<void>;
  deployToAll(version: string, reason: string): Promise<void>;
  versions(): Promise<Version[]>;
  devices(): Promise<Device[]>;
  postOutcomes(version: string, outcomes: LabelledOutcome[]): Promise<void>;
}

/** @throws Error with the problem's code and detail, so that a log line says what to do. */
export function connectToHub(baseUrl: string, token?: string): HubApi {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const client = got.extend({ prefixUrl: baseUrl, headers, retry: { limit: 2 }, timeout: { request: 30_000 } });
  return {
    isReady: () => client.get("readyz", { retry: { limit: 0 } }).then(Boolean, () => false),
    upload: async (digest, file) => {
      const { size } = await stat(file);
      await explain(
        client.put(`mlops/artifacts/${digest}`, {
          body: createReadStream(file),
          headers: { "content-type": "application/octet-stream", "content-length": String(size) },
          retry: { limit: 0 },
        }),
      );
    },
    register: async (request) => {
      await explain(client.post("mlops/models/register", { json: request }));
    },
    deployToAll: async (version, reason) => {
      await explain(client.post(`mlops/models/${version}/deploy-all`, { json: { override: { reason } } }));
    },
    versions: () => list(client, "api/v1/models/default/versions", Version),
    devices: () => list(client, "api/v1/devices", Device),
    postOutcomes: async (version, outcomes) => {
      await explain(client.post(`mlops/deployment/${version}/outcomes`, { json: { outcomes } }));
    },
  };
}

async function list<T extends z.ZodType>(client: Got, path: string, item: T): Promise<z.infer<T>[]> {
  const body: unknown = await explain(client.get(path, { searchParams: { limit: 1_000 } }).json());
  return listOf(item).parse(body).items;
}

async function explain<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof HTTPError)) throw error;
    const problem = Problem.safeParse(JSON.parse(String(error.response.body)));
    if (!problem.success) throw error;
    throw new Error(`${problem.data.code}: ${problem.data.detail ?? problem.data.title}`, { cause: error });
  }
}
