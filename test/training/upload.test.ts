// The Python client's upload against a real hub through a proxy that cuts the connection: it goes on where the hub says it ended.
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layOutHub, type HubProcess } from "./hub-process.ts";
import { execute, findPython } from "./python.ts";

const python = await findPython();
const UPLOAD = `
import sys
from pathlib import Path
from training.hub.client import connect
from training.hub.upload import upload
from training.progress import Progress
from training.release import variant_of
path = Path(sys.argv[3])
print("sent" if upload(connect(sys.argv[1], sys.argv[2], 30, Progress()), path, variant_of(path, "onnx")) else "there")
`;

/** Cuts each connection that carries a file after so many bytes, in order; later ones are left alone. */
async function cutter(
  target: string,
  afterBytes: number[],
): Promise<{ server: Server; url: string; carried: () => number }> {
  let carried = 0;
  const server = createServer((inside) => {
    const outside = connect(Number(new URL(target).port), "127.0.0.1");
    let bytes = 0;
    let limit: number | undefined;
    inside.on("data", (chunk) => {
      bytes += chunk.length;
      carried += chunk.length;
      // Only what is large enough to be the file itself.
      if (bytes > 20_000 && limit === undefined) limit = afterBytes.shift() ?? Infinity;
      if (limit !== undefined && bytes > limit) {
        inside.destroy();
        outside.end();
      } else outside.write(chunk);
    });
    outside.pipe(inside);
    inside.on("close", () => outside.end());
    inside.on("error", () => outside.destroy());
    outside.on("error", () => inside.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, carried: () => carried };
}

describe.skipIf(!python.ok)("an upload", () => {
  let hub: HubProcess;
  beforeAll(async () => {
    hub = await layOutHub();
    await hub.start();
  });
  afterAll(() => hub.close());

  test("that is cut twice is sent once, and not at all when the hub has the file", async () => {
    const bytes = randomBytes(6_000_000);
    const file = join(hub.dir, "model.onnx");
    writeFileSync(file, bytes);
    const token = await hub.token("publisher");
    const { server, url, carried } = await cutter(hub.url, [2_000_000, 1_500_000]);
    const send = () => execute(python.ok ? python.path : "", ["-c", UPLOAD, url, token, file]);
    const sent = await send();
    expect(sent.stdout, sent.stderr).toMatch(/going on at \d+\n[^]*sent\n$/);
    // What was in flight at a cut is lost; the rest is sent once.
    expect(carried()).toBeLessThan(8_000_000);
    const digest = createHash("sha256").update(bytes).digest("hex");
    const head = await fetch(`${hub.url}/mlops/artifacts/${digest}`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}` },
    });
    expect([head.status, head.headers.get("upload-offset")]).toEqual([200, "6000000"]);
    expect((await send()).stdout).toBe("there\n");
    server.close();
  });
});
