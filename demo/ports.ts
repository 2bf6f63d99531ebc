// Whether the demo's ports are free, asked before anything is started.
import { createServer } from "node:net";

/** @returns the first of `ports` on 127.0.0.1 that something else already listens on. */
export async function findTakenPort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) if (!(await isFree(port))) return port;
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once("error", () => resolve(false));
    listener.listen({ host: "127.0.0.1", port, exclusive: true }, () => listener.close(() => resolve(true)));
  });
}
