// Serves one long artifact from memory, as fast as the reader takes it; prints its address and its digest.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const { sizeBytes } = JSON.parse(process.argv[2] ?? "{}") as { sizeBytes: number };
const block = Buffer.from(Array.from({ length: 1024 * 1024 }, (_unused, index) => (index * 31) % 251));

const hash = createHash("sha256");
for (let left = sizeBytes; left > 0; left -= block.length) hash.update(block.subarray(0, Math.min(left, block.length)));
const digest = hash.digest("hex");

const server = createServer((_request, response) => {
  let left = sizeBytes;
  response.writeHead(200, { "content-length": sizeBytes, etag: '"one"' });
  const pour = () => {
    while (left > 0) {
      const piece = block.subarray(0, Math.min(left, block.length));
      left -= piece.length;
      if (!response.write(piece)) {
        response.once("drain", pour);
        return;
      }
    }
    response.end();
  };
  pour();
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/artifact`, digest }));
});
