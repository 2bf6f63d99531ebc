// One hub, asked over its wire: answers are parsed at the door, refusals become failures with an exit code.
import { randomUUID } from "node:crypto";
import got, { type Got, RequestError, type Response } from "got";
import { z } from "zod";
import { Problem } from "./answers.ts";
import { EXIT, type Exit, Failure } from "./exits.ts";

/** Of a session, whose it is: so that it can be said how to sign in again. */
export type Credential = { token: string } | { cookie: string; name: string | undefined };
type Query = Record<string, string | number | undefined>;

export interface HubClient {
  readonly url: string;
  /** What to do when the hub does not know who asks. */
  readonly signIn: string;
  /** For streams; has the credential, parses nothing. */
  readonly wire: Got;
  get<T extends z.ZodType>(schema: T, path: string, query?: Query): Promise<z.infer<T>>;
  send<T extends z.ZodType>(
    schema: T,
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: object,
    query?: Query,
  ): Promise<z.infer<T>>;
  /** Every page of a list. */
  all<T extends z.ZodType>(item: T, path: string, query?: Query): Promise<z.infer<T>[]>;
}

/** Of one question and its answer; streams set their own. */
export const ANSWER_IN = { request: 30_000 };
const PAGE = 1_000;
const AWAY_STATUS = new Set([502, 503, 504]);

export function connectToHub(url: string, credential: Credential | undefined, { retries = 2 } = {}): HubClient {
  const signIn = howToSignIn(url, credential);
  const wire = got.extend({
    prefixUrl: url,
    headers: { "user-agent": "context-edge-cli", accept: "application/json", ...headersOf(credential) },
    // A redirect would carry a decision to somewhere else than the reader named.
    followRedirect: false,
    throwHttpErrors: false,
    retry: {
      limit: retries,
      methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      backoffLimit: 2_000,
      maxRetryAfter: 10_000,
      calculateDelay: ({ error, computedValue }) => (mayBeRepeated(error) ? computedValue : 0),
    },
  });

  const request = async <T extends z.ZodType>(
    schema: T,
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    { query = {}, body }: { query?: Query | undefined; body?: object | undefined },
  ): Promise<z.infer<T>> => {
    const response = await reach(url, () =>
      wire(path, {
        method,
        searchParams: query,
        timeout: ANSWER_IN,
        ...(body === undefined ? {} : { json: body }),
        ...(method === "GET" ? {} : { headers: { "idempotency-key": randomUUID() } }),
      }),
    );
    return parseAnswer(schema, response, { url, signIn });
  };

  const client: HubClient = {
    url,
    signIn,
    wire,
    get: (schema, path, query) => request(schema, "GET", path, { query }),
    send: (schema, method, path, body, query) => request(schema, method, path, { query, body }),
    async all(item, path, query = {}) {
      const page = z.looseObject({ items: z.array(item), next_cursor: z.string().nullish() });
      const items: z.infer<typeof item>[] = [];
      let cursor: string | undefined;
      do {
        const answer = await client.get(page, path, { ...query, limit: PAGE, cursor });
        items.push(...answer.items);
        cursor = answer.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return items;
    },
  };
  return client;
}

function headersOf(credential: Credential | undefined): Record<string, string> {
  if (credential === undefined) return {};
  return "token" in credential ? { authorization: `Bearer ${credential.token}` } : { cookie: credential.cookie };
}

/** Whether a change arrived cannot be known from a broken line. Turned away for too much work, it certainly did not. */
function mayBeRepeated({ options, response }: RequestError): boolean {
  if (options.method === "GET" || options.method === "HEAD") return true;
  const problem = Problem.safeParse(parseJson(response?.body));
  return problem.success && problem.data.code === "OVERLOADED";
}

function howToSignIn(url: string, credential: Credential | undefined): string {
  if (credential === undefined || "token" in credential) {
    return "Sign in with: context-edge login URL (or set CONTEXT_EDGE_TOKEN).";
  }
  const { name } = credential;
  return `The sign-in has ended. Again: context-edge login ${url}${name === undefined ? "" : ` --name ${name}`}`;
}

/** @throws Failure `HUB_UNREACHABLE` when there was no answer. */
export async function reach<T>(url: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw unreachable(url, error.code === "ERR_GOT_REQUEST_ERROR" ? error.message : error.code);
  }
}

export function unreachable(url: string, why: string): Failure {
  return new Failure(EXIT.unreachable, `The hub at ${url} cannot be reached (${why}).`, {
    code: "HUB_UNREACHABLE",
    nextStep: "Is the address right, does the hub run, is the network there? Name another with --hub URL.",
  });
}

/** @throws Failure with the problem's code; which exit it means depends on the status. */
export function parseAnswer<T extends z.ZodType>(
  schema: T,
  response: Response,
  { url, signIn }: Pick<HubClient, "url" | "signIn">,
): z.infer<T> {
  const { statusCode } = response;
  const body = parseJson(response.body);
  if (statusCode >= 200 && statusCode < 300) {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join(".") || "the answer";
    throw new Failure(EXIT.refused, `The hub's answer is not understood (${where}).`, {
      code: "ANSWER_NOT_UNDERSTOOD",
      nextStep: `Is ${url} a Context Edge hub, and this command line as new as it? context-edge --version`,
    });
  }
  const problem = Problem.safeParse(body);
  if (problem.success) throw refusal(problem.data, signIn);
  if (AWAY_STATUS.has(statusCode)) throw unreachable(url, `status ${statusCode}`);
  const isRedirect = statusCode >= 300 && statusCode < 400;
  throw new Failure(EXIT.refused, `${url} answers with status ${statusCode} and no word of a hub.`, {
    code: "NOT_A_HUB",
    nextStep: isRedirect ? `It redirects to ${response.headers.location}; use that address.` : "Check the address.",
  });
}

/** Where the hub's next step speaks of HTTP, here it is a command. */
const LOOK: Record<string, string> = {
  VERSION_UNKNOWN: "See which there are: context-edge versions",
  GROUP_UNKNOWN: "See which there are: context-edge groups",
  DEVICE_UNKNOWN: "See which there are: context-edge devices",
  DEPLOYMENT_UNKNOWN: "See which there are: context-edge deployments",
  QUARANTINED: 'Deploy another version; or an admin lifts it: context-edge quarantines lift VERSION --reason "…"',
  TOKEN_UNKNOWN: "See which there are: context-edge tokens, or context-edge join-tokens",
  USER_UNKNOWN: "See which there are: context-edge users",
};

function refusal(problem: Problem, signIn: string): Failure {
  const nextStep = (problem.status === 401 ? signIn : LOOK[problem.code]) ?? problem.next_step;
  const sentence = problem.detail ?? problem.title;
  return new Failure(exitOf(problem), sentence, { code: problem.code, nextStep, document: problem });
}

function exitOf({ status, code }: Problem): Exit {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  // Not understood, so nothing was done: as wrong as if it had been found here.
  return code === "BAD_REQUEST" ? EXIT.wrongUse : EXIT.refused;
}

function parseJson(body: unknown): unknown {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
