// Devices, tokens and accounts from a shell: moved, held, made, revoked; and what a token of little scope may still ask.
import { afterEach, beforeEach, expect, test } from "vitest";
import { createUser } from "../hub/operations/accounts.ts";
import { createToken } from "../hub/operations/tokens.ts";
import { json, openScene, type Scene } from "./testing/run-cli.ts";

let at: Scene;
let secrets: Record<string, string>;
beforeEach(async () => {
  at = await openScene({ HUB_AUTH: "accounts" });
  secrets = {};
  await at.hub.hub.changes.make("the test", async (change) => {
    await createUser(change, { name: "ada", role: "admin", password_hash: null });
    for (const scope of ["admin", "publisher"] as const) {
      secrets[scope] = (await createToken(change, { name: `t-${scope}`, scope })).secret;
    }
  });
  at.environment["CONTEXT_EDGE_TOKEN"] = secrets["admin"] ?? "";
  for (const [id, group] of Object.entries({ d1: "line-a", d2: "line-b" })) await at.hub.enroll(id, group);
});
afterEach(() => at.close());

const ok = async (...words: string[]) => {
  const ended = await at.run(words);
  expect(ended.code, `${words.join(" ")}: ${ended.stderr}`).toBe(0);
  return ended.stdout;
};

test("a device is moved; into a group that does not exist only when that is said", async () => {
  expect(await ok("devices", "move", "d1", "--group", "line-b")).toBe("d1 is in line-b.\n");
  const typo = await at.run(["devices", "move", "d1", "--group", "lien-a"]);
  expect(typo).toMatchObject({ code: 1, stdout: "" });
  expect(typo.stderr).toMatch(/lien-a.*GROUP_UNKNOWN[^]*--create/);
  expect(json(await at.run(["devices", "d1", "--json"]))).toMatchObject({ group: "line-b" });
  expect(await ok("devices", "move", "d1", "--group", "lab", "--create")).toBe("d1 is in lab.\n");
});

test("a device is held with a reason, and released", async () => {
  expect(await ok("devices", "hold", "d1", "--hours", "8", "--reason", "night shift")).toMatch(
    /^d1 is held until 20.*Z: night shift\n$/,
  );
  expect(await ok("devices", "d1")).toContain(": night shift");
  expect(await ok("devices", "release", "d1")).toBe("d1 is not held.\n");
  expect(json(await at.run(["devices", "d1", "--json"]))).toMatchObject({ hold: null });
});

test("a device is taken out of the fleet and admitted again", async () => {
  expect(await ok("devices", "decommission", "d1", "--reason", "scrapped")).toContain("credential is void");
  expect((await at.run(["devices", "d1"])).stderr).toContain("DEVICE_UNKNOWN");
  expect(await ok("devices", "readmit", "d1")).toContain("may enrol again");
});

test("a token is made, its secret alone on stdout and good; revoked by its name it is good no more", async () => {
  const made = await at.run(["tokens", "create", "ci", "--scope", "viewer", "--expires", "90d"]);
  expect(made.stdout).toMatch(/^cet_[\w-]{43}\n$/);
  expect(made.stderr).toContain("shown once");
  const env = { CONTEXT_EDGE_TOKEN: made.stdout.trim() };
  expect((await at.run(["status"], { env })).stdout).toContain("you   token ci (scope viewer)");
  const list = await ok("tokens");
  expect(list).toMatch(/ci +cet_.{4}… +viewer +\S+ +20\S+Z +token t-admin/);
  expect(list).not.toContain(made.stdout.trim());
  const days = json(await at.run(["tokens", "create", "short", "--scope", "viewer", "--expires", "12h", "--json"]));
  const { created_at, expires_at } = days["token"] as Record<string, string>;
  expect(Date.parse(expires_at ?? "") - Date.parse(created_at ?? "")).toBe(12 * 3_600_000);
  expect(await ok("tokens", "revoke", "ci")).toBe("ci is revoked.\n");
  expect((await at.run(["status"], { env })).code).toBe(6);
  expect(await ok("tokens")).not.toMatch(/^ci /m);
  expect(await ok("tokens", "--all")).toMatch(/^ci .*revoked$/m);
  expect((await at.run(["tokens", "revoke", "ci"])).stderr).toContain("TOKEN_UNKNOWN");
});

test("a join token admits as many devices as it says, into its group", async () => {
  const secret = (await ok("join-tokens", "create", "batch", "--group", "line-b", "--uses", "1")).trim();
  const enrol = (device_id: string) =>
    at.hub.call("POST", "/device/v1/enroll", {
      join_token: secret,
      device_id,
      inventory: { agent_version: "1", arch: "x" },
    });
  expect((await enrol("d3")).body).toMatchObject({ group: "line-b" });
  expect((await enrol("d4")).body).toMatchObject({ code: "JOIN_TOKEN_REFUSED" });
  expect(await ok("join-tokens")).toMatch(/batch +cej_.{4}… +line-b +0 +never/);
  expect(await ok("join-tokens", "revoke", "batch")).toBe("batch is revoked.\n");
});

test("an account is made with a link, given a role, disabled and enabled", async () => {
  const made = await ok("users", "add", "Grace", "--role", "engineer");
  expect(made).toMatch(/^grace is engineer\.\n[^]*\/setup#cel_/);
  expect(await ok("users", "role", "grace", "viewer")).toBe("grace is viewer now.\n");
  expect(await ok("users", "disable", "grace")).toBe("grace is disabled.\n");
  expect(await ok("users")).toMatch(/grace +viewer +nothing yet +20\S+Z +disabled/);
  expect(await ok("users", "enable", "grace")).toBe("grace is enabled.\n");
  expect(await ok("users", "reset", "grace")).toMatch(/signed out everywhere\.\n[^]*\/setup#cel_/);
  expect((await at.run(["users", "disable", "nobody"])).stderr).toContain("USER_UNKNOWN");
  expect((await at.run(["users", "disable", "ada"])).stderr).toContain("only admin");
  const piped = await at.run(["users", "add", "erik", "--role", "viewer", "--password-stdin"], {
    stdin: "a password of his own\n",
  });
  expect(piped.stdout).toBe("erik is viewer.\n");
});

test("a publisher's token is told who it is, and that it does not see the fleet", async () => {
  const env = { CONTEXT_EDGE_TOKEN: secrets["publisher"] ?? "" };
  const status = await at.run(["status"], { env });
  expect(status.code, status.stderr).toBe(0);
  expect(status.stdout).toContain("you   token t-publisher (scope publisher)");
  expect(status.stdout).toContain("The fleet is not shown to you");
  const asJson = json(await at.run(["status", "--json"], { env }));
  expect(asJson).toMatchObject({ session: { role: "publisher" }, groups: null, open_deployments: null });
  expect((await at.run(["pilot", "--version", "v1", "--devices", "d1"], { env })).code).toBe(6);
});
