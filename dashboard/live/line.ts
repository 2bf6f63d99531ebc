// How the hub is asked: one request with a deadline, its answer parsed by the protocol's schema, refusals as errors that carry the problem document.
import { listOf, Problem } from "@context-edge/protocol";
import { z } from "zod";

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
export const PAGE_SIZE = 1_000;
export const enc = encodeURIComponent;

export type Send = (path: string, init: RequestInit) => Promise<Response>;

export interface Line {
  call: <T extends z.ZodType>(schema: T, method: string, path: string, body?: unknown) => Promise<z.infer<T>>;
  /** Page after page until the end: a fleet is not cut off at the first thousand. */
  list: <T extends z.ZodType>(item: T, path: string) => Promise<z.infer<T>[]>;
}

/** @param send how a request is made: `fetch`, or a test's own with another address in front. */
export function openLine(send: Send): Line {
  const call: Line["call"] = async (schema, method, path, body) => {
    const { response, json } = await exchange(send, path, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw refusal(response.status, json);
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new ApiError("The hub's answer was not understood. Reload the page: the hub may be newer than it.", null);
  };
  return {
    call,
    async list<T extends z.ZodType>(item: T, path: string) {
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
    },
  };
}

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
