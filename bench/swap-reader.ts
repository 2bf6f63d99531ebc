// Opens a link in a tight loop until its standard input ends, and tells how often it did and how often it could not.
import { closeSync, fstatSync, openSync } from "node:fs";

const { link } = JSON.parse(process.argv[2] ?? "{}") as { link: string };
const stop = { asked: false };
process.stdin.once("end", () => (stop.asked = true)).resume();

let opens = 0;
let failures = 0;
console.log("reading");
while (!stop.asked) {
  for (let turn = 0; turn < 1_000; turn += 1) {
    opens += 1;
    try {
      const descriptor = openSync(link, "r");
      if (fstatSync(descriptor).size === 0) failures += 1;
      closeSync(descriptor);
    } catch {
      failures += 1;
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(JSON.stringify({ opens, failures }));
