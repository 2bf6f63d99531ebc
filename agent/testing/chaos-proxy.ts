// A TCP proxy that does to a connection what bad links do: cuts it, stalls it, thins it out, flips its bits.
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What happens to the bytes that come from the server; what the client sends passes untouched. */
export interface Chaos {
  /** The connection is reset (RST, not an orderly end) after so many bytes. */
  cutAfterBytes?: number;
  /** After so many bytes nothing comes any more, and the connection stays open. */
  stallAfterBytes?: number;
  /** So many bytes a second, in tenths of a second or byte by byte. */
  bytesPerS?: number;
  /** The thinning out begins after so many bytes. */
  slowAfterBytes?: number;
  /** The byte at this place of the stream, head of the answer included, is flipped. */
  corruptAtByte?: number;
  /** Connections are accepted and nothing is ever passed on, in either direction: a black hole. */
  swallow?: boolean;
  /** Connections are reset as soon as they are made. */
  refuse?: boolean;
}

export interface ChaosProxy {
  url: string;
  port: number;
  /** From now on, for connections made later too. */
  behave(chaos: Chaos): void;
  /** Connections made so far. */
  readonly connections: number;
  /** Bytes passed on to clients so far. */
  readonly passedBytes: number;
  close(): Promise<void>;
}

/** @param target `http://127.0.0.1:port`, or any TCP server so named */
export async function chaosProxy(target: string, initially: Chaos = {}): Promise<ChaosProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const open = new Set<Socket>();
  const stop = new AbortController();
  let chaos = initially;
  let connections = 0;
  let passedBytes = 0;

  const serve = (client: Socket) => {
    connections += 1;
    keep(client, open);
    if (chaos.refuse === true) return void client.resetAndDestroy();
    if (chaos.swallow === true) return void client.resume();
    const server = connect({ host: hostname, port: Number(targetPort) });
    keep(server, open);
    server.once("close", () => client.end());
    client.once("close", () => server.destroy());
    client.pipe(server);
    void passOn(
      server,
      client,
      () => chaos,
      stop.signal,
      (bytes) => (passedBytes += bytes),
    ).catch(() => client.destroy());
  };

  const listener = createServer(serve);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    behave(next) {
      chaos = next;
    },
    get connections() {
      return connections;
    },
    get passedBytes() {
      return passedBytes;
    },
    close: () => closeAll(listener, open, stop),
  };
}

async function passOn(
  server: Socket,
  client: Socket,
  chaos: () => Chaos,
  signal: AbortSignal,
  passed: (bytes: number) => void,
): Promise<void> {
  let position = 0;
  for await (const chunk of server as AsyncIterable<Buffer>) {
    let rest = chunk;
    while (rest.length > 0) {
      const { cutAfterBytes = Infinity, stallAfterBytes = Infinity, slowAfterBytes = 0, corruptAtByte } = chaos();
      const bytesPerS = position >= slowAfterBytes ? chaos().bytesPerS : undefined;
      if (position >= cutAfterBytes) return void client.resetAndDestroy();
      // Held until the client goes away: nothing more is read from the server either.
      if (position >= stallAfterBytes) return await closed(client);
      const until = Math.min(cutAfterBytes, stallAfterBytes, position < slowAfterBytes ? slowAfterBytes : Infinity);
      const step = bytesPerS === undefined ? rest.length : Math.max(1, Math.floor(bytesPerS / 10));
      const piece = Buffer.from(rest.subarray(0, Math.min(step, until - position)));
      if (corruptAtByte !== undefined && corruptAtByte >= position && corruptAtByte < position + piece.length) {
        piece.writeUInt8(piece.readUInt8(corruptAtByte - position) ^ 0xff, corruptAtByte - position);
      }
      position += piece.length;
      rest = rest.subarray(piece.length);
      passed(piece.length);
      if (!client.write(piece)) await drained(client);
      if (bytesPerS !== undefined) await delay((piece.length / bytesPerS) * 1_000, undefined, { signal });
    }
  }
}

function keep(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  // A reset is what this proxy is for; it must not end the process.
  socket.on("error", () => undefined);
  socket.once("close", () => open.delete(socket));
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once("close", () => resolve())));

const drained = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once("drain", () => resolve());
    socket.once("close", () => resolve());
  });

function closeAll(listener: Server, open: Set<Socket>, stop: AbortController): Promise<void> {
  stop.abort();
  return new Promise((resolve) => {
    listener.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
