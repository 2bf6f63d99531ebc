// A private certificate authority for one test, made with openssl, and a TLS server with a certificate of it.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { tempDir } from "./temp-dir.ts";

const run = promisify(execFile);

export interface TestAuthority {
  /** PEM file of the authority, for NODE_EXTRA_CA_CERTS. */
  caFile: string;
  ca: string;
  key: string;
  /** For 127.0.0.1 and localhost. */
  certificate: string;
}

/** From and until as openssl writes them: `YYYYMMDDHHMMSSZ`. */
export interface Validity {
  from: string;
  until: string;
}
const VALID: Validity = { from: "20200101000000Z", until: "20990101000000Z" };
export const EXPIRED: Validity = { from: "20200101000000Z", until: "20210101000000Z" };
export const NOT_YET: Validity = { from: "20980101000000Z", until: "20990101000000Z" };

const CONFIG = `[ca]
default_ca=here
[here]
database=index.txt
serial=serial
new_certs_dir=certs
default_md=sha256
policy=any
x509_extensions=server
unique_subject=no
[any]
commonName=supplied
[server]
subjectAltName=IP:127.0.0.1,DNS:localhost
`;

export async function testAuthority({ from, until }: Validity = VALID): Promise<TestAuthority> {
  const cwd = await tempDir();
  const openssl = (...words: string[]) => run("openssl", words, { cwd });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await mkdir(join(cwd, "certs"));
  await writeFile(join(cwd, "index.txt"), "");
  await writeFile(join(cwd, "serial"), "01\n");
  await writeFile(join(cwd, "ca.cnf"), CONFIG);
  await openssl("req", "-x509", ...ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30000", "-subj", "/CN=test ca");
  await openssl("req", ...ec, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
  const dates = ["-startdate", from, "-enddate", until];
  const pair = ["-cert", "ca.pem", "-keyfile", "ca.key", "-in", "request.pem", "-out", "certificate.pem", "-notext"];
  await openssl("ca", "-batch", "-config", "ca.cnf", ...pair, ...dates);
  const pem = (name: string) => readFile(join(cwd, name), "utf8");
  return {
    caFile: join(cwd, "ca.pem"),
    ca: await pem("ca.pem"),
    key: await pem("key.pem"),
    certificate: await pem("certificate.pem"),
  };
}

/** @returns `https://127.0.0.1:port` */
export async function tlsServer(
  { key, certificate }: TestAuthority,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createTlsServer({ key, cert: certificate }, handle);
  const port = await listening(server);
  return `https://127.0.0.1:${port}`;
}

export async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
