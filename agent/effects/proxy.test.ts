// Out through proxies and past private authorities: downloads and the hub's API alike, on real sockets with real certificates.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BYTES, from, lineOf, ranged } from "../testing/download-from.ts";
import { forwardProxy } from "../testing/forward-proxy.ts";
import { inChild } from "../testing/in-child.ts";
import { loopbackServer } from "../testing/loopback-server.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { EXPIRED, NOT_YET, testAuthority, tlsServer } from "../testing/test-authority.ts";
import { http } from "./http.ts";

const through = (environment: Record<string, string>) => ({ line: lineOf({ environment }) });
const { signal } = new AbortController();
const ask = (url: string, environment: Record<string, string>) =>
  http(environment).request({ method: "GET", url, deadlineMs: 5_000, signal });

test("a download goes through HTTP_PROXY, with a password when the address has one", async () => {
  const proxy = await forwardProxy("s3cret");
  const { code, request } = await from(ranged, through({ HTTP_PROXY: proxy.url }));
  expect(code).toBe("OK");
  expect(proxy.asked).toEqual([`GET ${request.url}`]);
});

test("NO_PROXY is honoured, and HTTPS_PROXY is not for HTTP", async () => {
  const proxy = await forwardProxy();
  expect((await from(ranged, through({ HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" }))).code).toBe("OK");
  expect((await from(ranged, through({ HTTPS_PROXY: proxy.url }))).code).toBe("OK");
  expect(proxy.asked).toEqual([]);
});

test("a proxy that asks for a password nobody gave is told as the proxy's refusal", async () => {
  const proxy = await forwardProxy("s3cret");
  const { port } = new URL(proxy.url);
  const { result } = await from(ranged, through({ http_proxy: `http://127.0.0.1:${port}` }));
  expect(result).toMatchObject({ mishap: { code: "PROXY_REFUSED", kind: "passing" } });
});

test("a proxy that is not there is told as a connection refused", async () => {
  expect((await from(ranged, through({ HTTP_PROXY: "http://127.0.0.1:9" }))).code).toBe("CONNECTION_REFUSED");
});

test("the hub's API goes through the proxies too, and past them where NO_PROXY says so", async () => {
  const proxy = await forwardProxy();
  const url = `${await loopbackServer((_request, response) => response.end("hello"))}/device/v1/manifest`;
  expect(await ask(url, { HTTP_PROXY: proxy.url })).toMatchObject({ ok: true, status: 200, body: "hello" });
  expect(proxy.asked).toEqual([`GET ${url}`]);
  expect(await ask(url, { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" })).toMatchObject({ ok: true, body: "hello" });
  expect(proxy.asked).toHaveLength(1);
});

test("with a private authority in NODE_EXTRA_CA_CERTS, TLS works for downloads and the API, straight and by CONNECT", async () => {
  const authority = await testAuthority();
  const url = await tlsServer(authority, ranged);
  const proxy = await forwardProxy();
  const trusting = { NODE_EXTRA_CA_CERTS: authority.caFile };
  const partPath = join(await tempDir(), "x.part");
  const task = { what: "download", url: `${url}/x`, partPath, sizeBytes: BYTES.length } as const;
  expect(await inChild(task, trusting)).toEqual([{ ok: true }]);
  expect(await readFile(partPath)).toEqual(BYTES);
  expect(proxy.asked).toEqual([]);

  const proxied = { ...trusting, HTTPS_PROXY: proxy.url };
  const partByProxy = join(await tempDir(), "x.part");
  expect(await inChild({ ...task, partPath: partByProxy }, proxied)).toEqual([{ ok: true }]);
  expect(await readFile(partByProxy)).toEqual(BYTES);
  expect(await inChild({ what: "request", url }, proxied)).toMatchObject([{ ok: true, status: 200 }]);
  expect(proxy.asked).toEqual([`CONNECT ${new URL(url).host}`, `CONNECT ${new URL(url).host}`]);
}, 60_000);

test("a certificate of an authority that nobody trusts is refused, by downloads and the API", async () => {
  const url = await tlsServer(await testAuthority(), ranged);
  expect((await from(url)).result).toMatchObject({ mishap: { code: "TLS_UNTRUSTED", kind: "passing" } });
  expect(await ask(url, {})).toMatchObject({ ok: false, code: "TLS_UNTRUSTED" });
});

test.each([
  ["expired", EXPIRED, "TLS_EXPIRED", /expired/],
  ["not yet valid", NOT_YET, "CLOCK", /clock is wrong/],
] as const)(
  "fault 34: a certificate that is %s says so in words about the clock",
  async (_what, validity, code, words) => {
    const authority = await testAuthority(validity);
    const url = await tlsServer(authority, ranged);
    const task = { what: "download", url, partPath: join(await tempDir(), "x.part"), sizeBytes: BYTES.length } as const;
    const [downloaded] = await inChild(task, { NODE_EXTRA_CA_CERTS: authority.caFile });
    expect(downloaded).toMatchObject({ ok: false, mishap: { code, kind: "passing" } });
    expect(downloaded?.mishap?.message).toMatch(words);
    const [answered] = await inChild({ what: "request", url }, { NODE_EXTRA_CA_CERTS: authority.caFile });
    expect(answered).toMatchObject({ ok: false, code });
  },
  60_000,
);
