// One download, or one request to the hub's API, in a process of its own: for what only a process can have, such as its
// trusted authorities, its limits and a tracer. Takes a JSON document as its argument and prints the result as one.
import { closeSync, openSync } from "node:fs";
import { z } from "zod";
import { download } from "../effects/download.ts";
import { downloadLine } from "../effects/download-line.ts";
import { http } from "../effects/http.ts";
import { errnoOf } from "../errors.ts";

const Task = z.object({
  what: z.enum(["download", "request"]),
  url: z.string(),
  partPath: z.string().default(""),
  sizeBytes: z.number().default(0),
  reserveBytes: z.number().default(0),
  /** Open files until the limit is reached, try, let go of them, and try again. */
  exhaustFiles: z.boolean().default(false),
});

const task = Task.parse(JSON.parse(process.argv[2] ?? "{}"));
const { signal } = new AbortController();
const results: unknown[] = [];

const attempt = () =>
  task.what === "request"
    ? http(process.env).request({ method: "GET", url: task.url, deadlineMs: 10_000, signal })
    : download({
        ...task,
        line: downloadLine({ environment: process.env, minBytesPerS: 256 }),
        credential: "secret",
        allowedOrigins: [],
        clean: false,
        progress: () => undefined,
        signal,
      });

function openAll(): number[] {
  const held: number[] = [];
  for (;;) {
    try {
      held.push(openSync("/dev/null", "r"));
    } catch (error) {
      if (errnoOf(error) === "EMFILE") return held;
      throw error;
    }
  }
}

if (task.exhaustFiles) {
  // What is loaded late must be loaded: a module that cannot be read is another failure.
  await import("undici/lib/dispatcher/agent.js");
  const held = openAll();
  results.push(await attempt());
  for (const descriptor of held) closeSync(descriptor);
}
results.push(await attempt());
process.stdout.write(JSON.stringify(results));
