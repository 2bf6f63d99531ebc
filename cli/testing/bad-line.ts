// A line to the hub that breaks or hangs, and counts what it carried: a proxy on a loopback port.
import { connect, createServer, type AddressInfo } from "node:net";

export interface BadLine {
  url: string;
  /** Bytes towards the hub. */
  carried: () => number;
  /** From so many bytes on it reads no more. */
  hangAfter(bytes: number): void;
  hangs: Promise<void>;
  /** Takes no further connections. */
  close(): void;
}

/** @param afterBytes cuts connections in order, each after so many bytes towards the hub; later ones are left alone */
export async function openBadLine(hubUrl: string, afterBytes: readonly number[] = []): Promise<BadLine> {
  const target = Number(new URL(hubUrl).port);
  const cuts = [...afterBytes];
  let carried = 0;
  let hangAt = Infinity;
  const hanging = Promise.withResolvers<void>();
  const proxy = createServer((inside) => {
    const outside = connect(target, "127.0.0.1");
    let bytes = 0;
    let limit: number | undefined;
    inside.on("data", (chunk) => {
      bytes += chunk.length;
      carried += chunk.length;
      // Only what is large enough to be the file itself.
      if (bytes > 20_000 && limit === undefined) limit = cuts.shift() ?? Infinity;
      if (limit !== undefined && bytes > limit) {
        inside.destroy();
        outside.end();
      } else outside.write(chunk);
      if (carried > hangAt) {
        inside.pause();
        hanging.resolve();
      }
    });
    outside.pipe(inside);
    inside.on("close", () => outside.end());
    inside.on("error", () => outside.destroy());
    outside.on("error", () => inside.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    carried: () => carried,
    hangAfter: (more) => {
      hangAt = more;
    },
    hangs: hanging.promise,
    close: () => void proxy.close(),
  };
}
