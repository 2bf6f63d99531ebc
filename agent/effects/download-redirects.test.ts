// Where a redirect may lead a download: to the hub's own origin and the announced ones, and nowhere else.
import { expect, test } from "vitest";
import { from, type Handle, ranged } from "../testing/download-from.ts";
import { loopbackServer } from "../testing/loopback-server.ts";

test.each<[string, Handle, string]>([
  [
    "fault 35: a redirect to a stranger",
    (_q, r) => void r.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
    "REDIRECT_REFUSED",
  ],
  [
    "fault 35: a redirect to a stranger that looks like the hub",
    (q, r) => void r.writeHead(302, { location: `http://${q.headers.host}@127.0.0.1:1/x` }).end(),
    "REDIRECT_REFUSED",
  ],
  [
    "fault 35: a redirect to a file of this device",
    (_q, r) => void r.writeHead(302, { location: "file:///etc/passwd" }).end(),
    "REDIRECT_REFUSED",
  ],
  [
    "fault 35: a redirect in a circle",
    (_q, r) => void r.writeHead(302, { location: "/again" }).end(),
    "REDIRECT_REFUSED",
  ],
])("%s is refused", async (_what, handle, code) => {
  const { result } = await from(handle);
  expect(result).toMatchObject({ ok: false, mishap: { code, kind: "passing" } });
});

test("fault 35: a redirect within the hub is followed, with the credential", async () => {
  const seen: (string | undefined)[] = [];
  const { code } = await from((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url === "/there") return ranged(request, response);
    response.writeHead(307, { location: "/there" }).end();
  });
  expect(code).toBe("OK");
  expect(seen).toEqual(["Bearer secret", "Bearer secret"]);
});

test("fault 35: an allowed store cannot send the device on to a stranger, nor back for the credential's sake", async () => {
  let asked = 0;
  const stranger = await loopbackServer((_request, response) => {
    asked += 1;
    response.end();
  });
  const store = await loopbackServer((_q, r) => void r.writeHead(302, { location: stranger }).end());
  const hub: Handle = (_q, r) => void r.writeHead(302, { location: store }).end();
  expect((await from(hub, { allowedOrigins: [store] })).code).toBe("REDIRECT_REFUSED");
  expect(asked).toBe(0);
});

test("fault 35: a redirect to an allowed origin is followed, and carries no credential", async () => {
  let authorization: string | undefined = "unset";
  const store = await loopbackServer((request, response) => {
    authorization = request.headers.authorization;
    ranged(request, response);
  });
  const { code } = await from((_q, r) => void r.writeHead(302, { location: `${store}/bucket/x` }).end(), {
    allowedOrigins: [store],
  });
  expect(code).toBe("OK");
  expect(authorization).toBe(undefined);
});
