// Dashboards as bare sockets: they take everything, and note how old each row of history was when it came.
import { connect } from "node:net";
import { createInterface } from "node:readline";

const { port, dashboards } = JSON.parse(process.argv[2] ?? "{}") as Record<string, number>;
const SENT = '"sent":';
let lags: number[] = [];
let bytes = 0;

for (let n = 0; n < (dashboards ?? 0); n += 1) {
  const socket = connect({ port: port ?? 0, host: "127.0.0.1" });
  socket.write("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  socket.on("data", (part) => {
    bytes += part.length;
    for (let at = part.indexOf(SENT); at >= 0; at = part.indexOf(SENT, at + 1)) {
      const sent = Number(part.toString("latin1", at + SENT.length, at + SENT.length + 13));
      // One that a packet's end cut in two is left out.
      if (sent > 1e12) lags.push(Date.now() - sent);
    }
  });
}

console.log(JSON.stringify({}));
createInterface(process.stdin)
  .on("line", () => {
    const sorted = lags.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)];
    console.log(JSON.stringify({ count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), megabytes: bytes / 1e6 }));
    lags = [];
    bytes = 0;
  })
  .on("close", () => process.exit(0));
