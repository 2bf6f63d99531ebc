// Triton's model repository for tests: its control modes, its index, its habit of loading only what is newer, its leaks.
import { readFile, stat } from "node:fs/promises";
import { loopbackServer } from "./loopback-server.ts";

export interface FakeRepository {
  url: string;
  /** Loads and unloads that came in, oldest first. */
  asked: ("load" | "unload")[];
  /** Content of the file that is served; null when none is. */
  served: string | null;
  /** Failed loads whose memory nobody asked back. */
  leaks: number;
  mode: "explicit" | "none";
  index: "whole" | "empty" | "missing";
  /** For how many looks at the index a load or an unload goes on. */
  slowness: { load: number; unload: number };
  /** Answers 200 to an unload and serves on, as with a request that never ends. */
  clings: boolean;
}

/** Words a file may begin with: it is refused with the rest of its text, or fails only after the load was answered. */
const REFUSED = "refused: ";
const LATE = "late: ";

/** @param link the slot link; it is read at every load */
export async function fakeRepository(link: string): Promise<FakeRepository> {
  const triton: FakeRepository = {
    url: "",
    asked: [],
    served: null,
    leaks: 0,
    mode: "explicit",
    index: "whole",
    slowness: { load: 0, unload: 0 },
    clings: false,
  };
  let state = "UNAVAILABLE";
  let reason = "unloaded";
  let loadedChange = 0;
  let looksLeft = 0;

  /** One look at the index: what goes on comes nearer to its end. */
  const lookedAt = () => {
    if (state === "READY" || state === "UNAVAILABLE") return;
    if (looksLeft > 0) looksLeft -= 1;
    else if (state === "LOADING") state = "READY";
    else [state, reason] = ["UNAVAILABLE", "unloaded"];
  };
  const load = async (): Promise<[number, unknown]> => {
    // Triton's rule: modified is what has a newer time, links followed, whether of content or of inode.
    const { mtimeMs, ctimeMs } = await stat(link);
    const change = Math.max(mtimeMs, ctimeMs);
    if (state === "READY" && change <= loadedChange) return [200, undefined];
    // On a small device two engines at once do not fit.
    if (state === "UNLOADING") return [400, { error: "failed to load 'default': CUDA_ERROR_OUT_OF_MEMORY" }];
    const content = await readFile(link, "utf8");
    triton.served = null;
    if (content.startsWith(REFUSED) || content.startsWith(LATE)) {
      triton.leaks += 1;
      [state, reason] = ["UNAVAILABLE", content.slice(content.indexOf(" ") + 1)];
      if (content.startsWith(LATE)) return [200, undefined];
      const error = `failed to load 'default', version 1 is at UNAVAILABLE state: Internal: ${reason}`;
      return [400, { error }];
    }
    [triton.served, state, reason, loadedChange] = [content, "LOADING", "", change];
    looksLeft = triton.slowness.load;
    if (looksLeft === 0) state = "READY";
    return [200, undefined];
  };
  const unload = (): [number, unknown] => {
    triton.leaks = 0;
    if (triton.clings) return [200, undefined];
    triton.served = null;
    if (state === "READY") [state, looksLeft] = ["UNLOADING", triton.slowness.unload];
    return [200, undefined];
  };
  const answer = async (path: string): Promise<[number, unknown]> => {
    const verb = /^POST \/v2\/repository\/models\/default\/(?<verb>load|unload)$/.exec(path)?.groups?.["verb"];
    if (verb === "load" || verb === "unload") {
      triton.asked.push(verb);
      if (triton.mode === "none")
        return [503, { error: "explicit model load / unload is not allowed if polling is enabled" }];
      return verb === "load" ? load() : unload();
    }
    lookedAt();
    if (path === "POST /v2/repository/index" && triton.index !== "missing")
      return [200, triton.index === "empty" ? [] : [{ name: "default", version: "1", state, reason }]];
    if (path === "GET /v2/models/default") {
      if (state === "READY") return [200, { name: "default", platform: "tensorrt_plan", inputs: [], outputs: [] }];
      return [400, { error: "Request for unknown model: 'default' has no available versions" }];
    }
    return [404, { error: "Not Found" }];
  };

  triton.url = await loopbackServer((request, response) => {
    void answer(`${request.method} ${request.url}`).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    });
  });
  return triton;
}
