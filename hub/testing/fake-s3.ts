// An object store for tests that s3rver cannot be: it has the rules of multipart uploads, can be of an older kind, and goes away and comes back.
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listObjects, listParts, listUploads } from "./fake-s3-lists.ts";

export interface FakeS3 {
  endpoint: string;
  /** By key, of its one bucket. */
  objects: Map<string, Stored>;
  uploads: Map<string, PendingUpload>;
  /** `PUT uploads/…?partNumber&uploadId`, `GET artifacts/… bytes=5-`, in their order. */
  requests: string[];
  /** While it is not null every request is answered with this status; 0: the connection is cut. */
  outage: number | null;
  /** The next file that is fetched breaks off after so many bytes. */
  cutAfter: number | null;
  /** Called before a request is answered. */
  before: (name: string) => Promise<void> | void;
  close(): Promise<void>;
}

export interface Stored {
  bytes: Buffer;
  etag: string;
  modified: Date;
}
export interface PendingUpload {
  key: string;
  initiated: Date;
  parts: Map<number, Stored>;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: of every part but the last. */
const LEAST_PART_BYTES = 5 * 2 ** 20;
const BUCKET = "models";

export type Answer = { status?: number; headers?: Record<string, string>; xml?: string; bytes?: Buffer };
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** @param isOlder refuses the checksums and trailers that newer SDKs send by themselves, as Ceph, GCS and others did. */
export async function startFakeS3({ isOlder = false } = {}): Promise<FakeS3> {
  const server = createServer((request, response) => void answer(request, response));
  const fake: FakeS3 = {
    endpoint: "",
    objects: new Map(),
    uploads: new Map(),
    requests: [],
    outage: null,
    cutAfter: null,
    before: () => undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://store");
    const key = decodeURIComponent(url.pathname).replace(new RegExp(`^/${BUCKET}/?`), "");
    const about = [...url.searchParams.keys()].filter((name) => !/^(x-id|X-Amz)/i.test(name)).join("&");
    const range = request.headers.range === undefined ? "" : ` ${request.headers.range}`;
    const name = `${request.method} ${key}${about === "" ? "" : `?${about}`}${range}`;
    fake.requests.push(name);
    await fake.before(name);
    if (fake.outage === 0) return void request.socket.destroy();
    const body = Buffer.concat(await request.toArray().catch(() => []));
    try {
      if (fake.outage !== null) throw new Refusal(fake.outage, "ServiceUnavailable");
      if (isOlder) refuseNewChecksums(request);
      const answered = serve(fake, { request, key, query: url.searchParams, body });
      if (answered.bytes && fake.cutAfter !== null) return cut(response, answered, fake);
      send(response, answered);
    } catch (error) {
      const { status, code } = error instanceof Refusal ? error : { status: 500, code: "InternalError" };
      send(response, { status, xml: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` });
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  fake.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

function send(response: ServerResponse, { status = 200, headers = {}, xml, bytes }: Answer): void {
  const body = xml === undefined ? (bytes ?? Buffer.alloc(0)) : Buffer.from(`<?xml version="1.0"?>${xml}`);
  response.writeHead(status, { "content-length": body.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function cut(response: ServerResponse, { status = 200, headers = {}, bytes }: Answer, fake: FakeS3): void {
  response.writeHead(status, { "content-length": bytes?.length ?? 0, ...headers });
  response.write(bytes?.subarray(0, fake.cutAfter ?? 0), () => response.destroy());
  fake.cutAfter = null;
}

function refuseNewChecksums({ headers }: IncomingMessage): void {
  const isNew = Object.keys(headers).some((name) => /^x-amz-(checksum-|sdk-checksum|trailer)/.test(name));
  const said = [headers["content-encoding"], headers["x-amz-content-sha256"]].join(" ");
  const isChunked = /aws-chunked|STREAMING/.test(said);
  if (isNew || isChunked) throw new Refusal(501, "NotImplemented");
}

interface Asked {
  request: IncomingMessage;
  key: string;
  query: URLSearchParams;
  body: Buffer;
}

function serve(fake: FakeS3, asked: Asked): Answer {
  const { request, key, query, body } = asked;
  const uploadId = query.get("uploadId");
  switch (request.method) {
    case "HEAD":
    case "GET":
      if (query.has("uploads")) return listUploads(fake.uploads, query.get("prefix") ?? "");
      if (query.has("list-type")) return listObjects(fake.objects, query.get("prefix") ?? "");
      if (key === "") return {};
      return uploadId === null ? read(fake, asked) : listParts(uploadOf(fake, uploadId), uploadId);
    case "POST": {
      if (uploadId !== null) return complete(fake, uploadId, body.toString());
      const id = randomUUID();
      fake.uploads.set(id, { key, initiated: new Date(), parts: new Map() });
      return { xml: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>` };
    }
    case "PUT":
      return put(fake, asked, uploadId);
    case "DELETE":
      if (uploadId === null) fake.objects.delete(key);
      else if (!fake.uploads.delete(uploadId)) throw new Refusal(404, "NoSuchUpload");
      return { status: 204 };
    default:
      throw new Refusal(405, "MethodNotAllowed");
  }
}

function put(fake: FakeS3, { request, key, query, body }: Asked, uploadId: string | null): Answer {
  const source = request.headers["x-amz-copy-source"];
  const copied = typeof source === "string" ? sourceOf(fake, source, request) : undefined;
  const stored = store(copied ?? body);
  if (uploadId === null) fake.objects.set(key, stored);
  else uploadOf(fake, uploadId).parts.set(Number(query.get("partNumber")), stored);
  if (!copied) return { headers: { etag: stored.etag } };
  const name = uploadId === null ? "CopyObjectResult" : "CopyPartResult";
  return { xml: `<${name}><ETag>${stored.etag}</ETag></${name}>` };
}

function sourceOf(fake: FakeS3, source: string, { headers }: IncomingMessage): Buffer {
  const found = fake.objects.get(decodeURIComponent(source).replace(`${BUCKET}/`, ""));
  if (!found) throw new Refusal(404, "NoSuchKey");
  const wanted = headers["x-amz-copy-source-if-match"];
  if (wanted !== undefined && wanted !== found.etag) throw new Refusal(412, "PreconditionFailed");
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(String(headers["x-amz-copy-source-range"])) ?? [];
  return start === undefined ? found.bytes : found.bytes.subarray(Number(start), Number(end) + 1);
}

function store(bytes: Buffer, hashed: Buffer | string = bytes, suffix = ""): Stored {
  const etag = `"${createHash("md5").update(hashed).digest("hex")}${suffix}"`;
  return { bytes, etag, modified: new Date() };
}

function uploadOf(fake: FakeS3, id: string): PendingUpload {
  const upload = fake.uploads.get(id);
  if (!upload) throw new Refusal(404, "NoSuchUpload");
  return upload;
}

function complete(fake: FakeS3, id: string, xml: string): Answer {
  const upload = uploadOf(fake, id);
  const named = [...xml.matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: /<ETag>(.+?)</.exec(part)?.[1]?.replaceAll("&quot;", '"'),
  }));
  const parts = named.map(({ number, etag }) => {
    const part = upload.parts.get(number);
    if (!part || part.etag !== etag) throw new Refusal(400, "InvalidPart");
    return part;
  });
  if (parts.slice(0, -1).some(({ bytes }) => bytes.length < LEAST_PART_BYTES)) throw new Refusal(400, "EntityTooSmall");
  if (named.some(({ number }, index) => index > 0 && number <= (named[index - 1]?.number ?? 0)))
    throw new Refusal(400, "InvalidPartOrder");
  if (parts.length === 0) throw new Refusal(400, "MalformedXML");
  const etags = parts.map(({ etag }) => etag).join("");
  const whole = store(Buffer.concat(parts.map(({ bytes }) => bytes)), etags, `-${parts.length}`);
  fake.objects.set(upload.key, whole);
  fake.uploads.delete(id);
  return {
    xml: `<CompleteMultipartUploadResult><ETag>${whole.etag}</ETag></CompleteMultipartUploadResult>`,
  };
}

function read(fake: FakeS3, { request, key }: Asked): Answer {
  const found = fake.objects.get(key);
  if (!found) throw new Refusal(404, "NoSuchKey");
  const { bytes, etag, modified } = found;
  const headers = { etag, "last-modified": modified.toUTCString(), "accept-ranges": "bytes" };
  const length = bytes.length;
  // On HEAD too: no body of its own to be measured.
  if (request.method === "HEAD") return { headers: { ...headers, "content-length": String(length) } };
  const ifRange = request.headers["if-range"];
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === undefined || (ifRange !== undefined && ifRange !== etag)) return { headers, bytes };
  const start = Number(from);
  if (start >= length) return { status: 416, headers: { "content-range": `bytes */${length}` } };
  const end = Math.min(to === "" ? length : Number(to) + 1, length);
  const range = { "content-range": `bytes ${start}-${end - 1}/${length}` };
  return { status: 206, headers: { ...headers, ...range }, bytes: bytes.subarray(start, end) };
}
