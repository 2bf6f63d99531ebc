// Between an agent and its hub, with a certificate that the agent trusts: an inspecting proxy, or a thief of such a certificate.
import { request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import { type TestAuthority, tlsServer } from "./test-authority.ts";

export interface TlsInterceptor {
  /** `https://127.0.0.1:port` */
  url: string;
  /** From now on, answers to such paths are changed; null: nothing is. */
  change(path: RegExp | null, how?: (body: Buffer) => Buffer): void;
  /** Answers changed so far. */
  readonly changed: number;
}

export async function tlsInterceptor(authority: TestAuthority, hubUrl: string): Promise<TlsInterceptor> {
  let changing: { path: RegExp; how: (body: Buffer) => Buffer } | null = null;
  let changed = 0;
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url = "/", headers } = incoming;
    const answer = await answerOf(hubUrl + url, { method, headers }, await bodyOf(incoming));
    const isChanged = changing?.path.test(url) === true && answer.body.length > 0;
    if (isChanged) changed += 1;
    const body = isChanged && changing ? changing.how(answer.body) : answer.body;
    const { "transfer-encoding": _chunked, ...kept } = answer.headers;
    outgoing.writeHead(answer.status, { ...kept, "content-length": body.length }).end(body);
  };
  const url = await tlsServer(authority, (incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  return {
    url,
    change(path, how = (body) => body) {
      changing = path && { path, how };
    },
    get changed() {
      return changed;
    },
  };
}

async function answerOf(
  url: string,
  options: { method: string | undefined; headers: IncomingMessage["headers"] },
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method = "GET", headers } = options;
    ask(url, { method, headers, agent: false }, resolve).once("error", reject).end(body);
  });
  return { status: response.statusCode ?? 502, headers: response.headers, body: await bodyOf(response) };
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
