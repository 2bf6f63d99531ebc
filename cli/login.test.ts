// Signing in with a name: what is kept is the person's own session, so it ends with the person, and acts in their name.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { changeUser, createUser, findUser } from "../hub/operations/accounts.ts";
import { createToken } from "../hub/operations/tokens.ts";
import { openScene, type Scene } from "./testing/run-cli.ts";

const PASSWORD = "correct horse battery";
let at: Scene;
beforeEach(async () => {
  at = await openScene({ HUB_AUTH: "accounts" });
  const { hub } = at.hub;
  const password_hash = await hub.people.passwords.hash(PASSWORD);
  await hub.changes.make("the test", async (change) => {
    for (const [name, role] of [
      ["ada", "admin"],
      ["grace", "admin"],
      ["erik", "engineer"],
    ] as const) {
      await createUser(change, { name, role, password_hash });
    }
  });
  await at.hub.enroll("d1", "line-a");
});
afterEach(() => at.close());

const configFile = (dir = join(at.dir, "config")) => join(dir, "context-edge", "config.json");
interface Kept {
  current: string;
  hubs: Record<string, { token?: string; cookie?: string; token_id?: string; name?: string }>;
}
const kept = (dir?: string) => JSON.parse(readFileSync(configFile(dir), "utf8")) as Kept;
async function login(name: string, env: Record<string, string> = {}): Promise<string> {
  const ended = await at.run(["login", "--name", name, "--password-stdin"], { stdin: `${PASSWORD}\n`, env });
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout + ended.stderr).not.toMatch(/ces_|correct horse/);
  return kept(env["XDG_CONFIG_HOME"]).hubs[at.url]?.cookie ?? "";
}
const isSignedIn = async (cookie: string) =>
  (await at.hub.call("GET", "/api/v1/session", undefined, { cookie })).body["signed_in"];
const change = async (name: string, wish: { disabled?: boolean; role?: "viewer" }) => {
  await at.hub.hub.changes.make("grace", async (made) => {
    await changeUser(made, await findUser(made.tx, { name }), wish);
  });
};

test("no token is made, and what is done is done in the person's own name", async () => {
  await login("ada");
  expect(await at.hub.hub.store.tokens.list()).toEqual([]);
  expect(kept().hubs[at.url]).toMatchObject({ name: "ada" });
  expect(kept().hubs[at.url]?.token).toBeUndefined();
  const held = await at.run(["devices", "hold", "d1", "--hours", "8", "--reason", "night shift"]);
  expect(held.code, held.stderr).toBe(0);
  const [event] = await at.hub.hub.store.events.newest(1);
  expect(event).toMatchObject({ kind: "device.held", actor: "ada" });
  expect((await at.run(["status"])).stdout).toContain("you   ada (admin)");
});

test("an account that is disabled is signed out on the command line too, and it says how to sign in again", async () => {
  await login("ada");
  await change("ada", { disabled: true });
  for (const words of [["devices"], ["status"], ["devices", "hold", "d1", "--hours", "1", "--reason", "still me"]]) {
    const ended = await at.run(words);
    expect(ended, words.join(" ")).toMatchObject({ code: 6, stdout: "" });
    expect(ended.stderr).toContain(`context-edge login ${at.url} --name ada`);
  }
});

test("a role that is taken away is gone here at once", async () => {
  await login("erik");
  const hold = ["devices", "hold", "d1", "--hours", "1", "--reason", "repair"];
  expect((await at.run(hold)).code).toBe(0);
  await change("erik", { role: "viewer" });
  const refused = await at.run(hold);
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain("FORBIDDEN");
  expect((await at.run(["devices"])).code).toBe(0);
});

test("a login over another ends the earlier session, and logout ends the last", async () => {
  const first = await login("ada");
  const second = await login("erik");
  expect(await isSignedIn(first)).toBe(false);
  expect(await isSignedIn(second)).toBe(true);
  const out = await at.run(["logout"]);
  expect(out.stdout).toContain("Forgot");
  expect(await isSignedIn(second)).toBe(false);
});

test("two logins from one machine do not get into each other's way", async () => {
  const elsewhere = { XDG_CONFIG_HOME: join(at.dir, "second") };
  const here = await login("ada");
  const there = await login("ada", elsewhere);
  expect(await isSignedIn(here)).toBe(true);
  expect(await isSignedIn(there)).toBe(true);
});

test("a token that an earlier login made in the person's place is revoked by the next one", async () => {
  await login("ada");
  const wish = { name: "context-edge-cli-vm", scope: "admin" as const };
  const { secret, record } = await at.hub.hub.changes.make("ada", (made) => createToken(made, wish));
  writeFileSync(
    configFile(),
    JSON.stringify({ current: at.url, hubs: { [at.url]: { token: secret, token_id: record.id } } }),
  );
  expect((await at.run(["status"])).stdout).toContain("token context-edge-cli-vm (scope admin)");
  await login("ada");
  const [token] = await at.hub.hub.store.tokens.list();
  expect(token?.revoked_at).not.toBeNull();
});

test("a wrong password ends 6, keeps what was remembered, and shows nothing of it", async () => {
  const cookie = await login("ada");
  const ended = await at.run(["login", "--name", "erik", "--password-stdin"], { stdin: "something else entirely\n" });
  expect(ended.code).toBe(6);
  expect(ended.stdout + ended.stderr).not.toContain("something else");
  expect(kept().hubs[at.url]?.cookie).toBe(cookie);
  expect(await isSignedIn(cookie)).toBe(true);
});
