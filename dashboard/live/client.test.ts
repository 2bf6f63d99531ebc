// The client against a real server on loopback: answers parsed, refusals told with their code, broken answers told at all.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { aDevice, aSession } from "../testing/fixtures.ts";
import { ApiError, connectToHub } from "./client.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const at = (base: string) => connectToHub((path, init) => fetch(`${base}${path}`, init));

async function serverThat(answers: RequestListener) {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const failureOf = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`no ApiError but ${String(error)}`);
};

describe("the client", () => {
  test("a refusal carries code, cause and next step", async () => {
    const problem = {
      type: "about:blank",
      title: "Unknown version",
      status: 404,
      detail: "There is no version v9.9.",
      code: "VERSION_UNKNOWN",
      next_step: "List the versions.",
    };
    const api = await serverThat((_request, response) => response.writeHead(404).end(JSON.stringify(problem)));
    const failure = await failureOf(api.assign("line-1", "v9.9"));
    expect(failure.message).toBe("There is no version v9.9.");
    expect(failure.problem).toMatchObject({ code: "VERSION_UNKNOWN", next_step: "List the versions." });
  });

  test("names that could be mistaken for a path stay names", async () => {
    const paths: string[] = [];
    const api = await serverThat((request, response) => {
      paths.push(request.url ?? "");
      response.end("null");
    });
    await failureOf(api.move("../../session", "x"));
    await failureOf(api.metrics("v2 ?a=b#c"));
    expect(paths).toEqual(["/api/v1/devices/..%2F..%2Fsession", "/mlops/deployment/v2%20%3Fa%3Db%23c/metrics"]);
  });

  test("follows the cursor, so that the thousand-and-first device is there too", async () => {
    const api = await serverThat((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://hub");
      const page = searchParams.get("cursor") === "next" ? ["edge-2"] : ["edge-1"];
      const isDevices = pathname === "/api/v1/devices";
      const items = isDevices ? page.map((id) => aDevice(id)) : [];
      response.end(JSON.stringify({ items, next_cursor: isDevices && page[0] === "edge-1" ? "next" : null }));
    });
    expect((await api.snapshot(aSession())).devices.map(({ id }) => id)).toEqual(["edge-1", "edge-2"]);
  });

  test.each([
    ["a proxy's page", 502, "<html>Bad gateway</html>", "The hub answered 502."],
    ["an error without a problem document", 500, "{}", "The hub answered 500."],
    ["an answer of another shape", 200, '{"auth":"maybe"}', /not understood/],
    ["no JSON at all", 200, "hello", /not understood/],
  ])("%s is told in words", async (_, status, body, words) => {
    const api = await serverThat((_request, response) => response.writeHead(status).end(body));
    expect((await failureOf(api.session())).message).toMatch(words);
  });

  test("an answer that is cut short is a hub that cannot be reached", async () => {
    const api = await serverThat((_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{");
      response.destroy();
    });
    expect((await failureOf(api.session())).message).toBe("The hub cannot be reached.");
  });

  test("an answer that never comes has a deadline", async () => {
    const late = connectToHub((_path, { signal }) => {
      expect(signal).toBeInstanceOf(AbortSignal);
      return Promise.reject(new DOMException("late", "TimeoutError"));
    });
    expect((await failureOf(late.session())).message).toBe("The hub did not answer within 30 s.");
  });
});
