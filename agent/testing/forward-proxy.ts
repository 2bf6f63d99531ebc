// A small forward proxy as factories have them: absolute addresses for HTTP, CONNECT for HTTPS, and a log of who asked for what.
import { createServer, request as send } from "node:http";
import { connect } from "node:net";
import { listening } from "./test-authority.ts";

export interface ForwardProxy {
  url: string;
  /** `GET http://…` or `CONNECT host:port`, in order. */
  asked: string[];
}

/** @param password when given, whoever comes without `user:password` is sent away with 407 */
export async function forwardProxy(password?: string): Promise<ForwardProxy> {
  const asked: string[] = [];
  const expected = password === undefined ? undefined : `Basic ${Buffer.from(`user:${password}`).toString("base64")}`;
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (expected !== undefined && incoming.headers["proxy-authorization"] !== expected) {
      return void outgoing.writeHead(407, { "proxy-authenticate": "Basic" }).end();
    }
    const { headers, method, url = "" } = incoming;
    const onward = send(url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, client) => {
    asked.push(`CONNECT ${incoming.url}`);
    client.on("error", () => undefined);
    if (expected !== undefined && incoming.headers["proxy-authorization"] !== expected) {
      return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }
    const [host = "", port] = (incoming.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on("error", () => client.destroy());
    client.on("close", () => onward.destroy());
  });
  const port = await listening(server);
  const who = password === undefined ? "" : `user:${password}@`;
  return { url: `http://${who}127.0.0.1:${port}`, asked };
}
