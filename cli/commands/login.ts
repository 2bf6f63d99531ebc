// `login` and `logout`: make sure the secret works before it is kept, and never show it.
import { hostname } from "node:os";
import type { Command } from "commander";
import { z } from "zod";
import { CreatedToken, Session } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import { ANSWER_IN, connectToHub, parseAnswer, reach, type HubClient } from "../hub-client.ts";
import { askSecret, readSecret } from "../secret-input.ts";
import { credentialOf, normalUrl, readSettings, settingsFile, writeSettings, type Remembered } from "../settings.ts";

const LoginOptions = z.object({
  hub: z.string().optional(),
  tokenStdin: z.boolean().default(false),
  name: z.string().optional(),
  passwordStdin: z.boolean().default(false),
});

export function addLogin(program: Command, world: World): void {
  const login = program
    .command("login")
    .argument("[url]", "address of the hub")
    .description("sign in at a hub and remember it")
    .option("--token-stdin", "read an API token from standard input")
    .option("--name <name>", "sign in with this account's password instead of a token")
    .option("--password-stdin", "with --name: read the password from standard input");
  act(login, world, LoginOptions, signIn);
  examples(
    login,
    "context-edge login https://hub.example:8000",
    "context-edge login https://hub.example:8000 --token-stdin < token.txt",
    "context-edge login https://hub.example:8000 --name ada",
  );

  const logout = program
    .command("logout")
    .argument("[url]", "address of the hub; else the newest login")
    .description("forget a hub; a token that login made is revoked");
  act(logout, world, z.object({ hub: z.string().optional() }), signOut);
  examples(logout, "context-edge logout", "context-edge logout https://hub.example:8000");
}

async function signIn(desk: Desk, options: z.infer<typeof LoginOptions>, [named]: readonly string[]): Promise<void> {
  const { environment, out } = desk;
  const { tokenStdin, name, passwordStdin } = options;
  if (tokenStdin && name !== undefined) throw wrongUse("Sign in with a token or with a name, not both.");
  if (passwordStdin && name === undefined) throw wrongUse("--password-stdin belongs to --name.");
  const address = named ?? options.hub ?? environment["CONTEXT_EDGE_URL"];
  if (!address) throw wrongUse("Which hub?", "context-edge login https://hub.example:8000");
  const url = normalUrl(address);
  const { auth } = await connectToHub(url, undefined).get(Session, "api/v1/session");
  const remembered = auth === "none" ? {} : await obtain(desk, url, options);
  const session = await connectToHub(url, credentialOf(remembered)).get(Session, "api/v1/session");
  if (!session.signed_in) {
    throw new Failure(EXIT.notAllowed, "The hub does not take that token.", {
      code: "UNAUTHENTICATED",
      nextStep: "Ask whoever runs the hub for an API token; nothing was remembered.",
    });
  }
  const settings = readSettings(environment);
  writeSettings(environment, { ...settings, current: url, hubs: { ...settings.hubs, [url]: remembered } });
  if (auth !== "none" && isPlainText(url)) out.note("warning: the address is not https; the secret travels readable.");
  out.result({ hub: url, session }, [
    auth === "none"
      ? `${url} asks nobody to sign in.`
      : `Signed in at ${url} as ${session.user ?? "nobody in particular"}.`,
    `Remembered in ${settingsFile(environment)}.`,
  ]);
}

async function obtain(desk: Desk, url: string, options: z.infer<typeof LoginOptions>): Promise<Remembered> {
  const { tokenStdin, name, passwordStdin } = options;
  if (name === undefined) {
    const instead = "Pipe it in with --token-stdin, or set CONTEXT_EDGE_TOKEN.";
    return { token: tokenStdin ? await readSecret(desk) : await askSecret(desk, "Token", instead) };
  }
  const password = passwordStdin
    ? await readSecret(desk)
    : await askSecret(desk, `Password of ${name}`, "Pipe it in with --password-stdin.");
  const hub = connectToHub(url, undefined);
  const response = await reach(url, () =>
    hub.wire.post("api/v1/session", { json: { name, password }, timeout: ANSWER_IN }),
  );
  parseAnswer(Session, response, { url, signIn: "Try again, or ask an admin for a new password." });
  const cookie = (response.headers["set-cookie"] ?? []).map((one) => one.split(";", 1)[0]).join("; ");
  if (cookie === "") {
    throw new Failure(EXIT.refused, "The hub took the password but gave no session.", {
      code: "ANSWER_NOT_UNDERSTOOD",
    });
  }
  return (await tokenInstead(connectToHub(url, { cookie, name: undefined }))) ?? { cookie };
}

/** A token outlives a session. Not everybody may make one: then the session has to do. */
async function tokenInstead(hub: HubClient): Promise<Remembered | undefined> {
  const session = await hub.get(Session, "api/v1/session");
  const machine = hostname()
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .slice(0, 32);
  const body = { name: `context-edge-cli-${machine}`, scope: session.role ?? "engineer", expires_days: 90 };
  try {
    const { token, secret } = await hub.send(CreatedToken, "POST", "api/v1/tokens", body);
    await hub.send(z.unknown(), "DELETE", "api/v1/session").catch(() => undefined);
    return { token: secret, ...(token === undefined ? {} : { token_id: token.id }) };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function isPlainText(url: string): boolean {
  const { protocol, hostname: host } = new URL(url);
  return protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
}

async function signOut(desk: Desk, options: { hub?: string | undefined }, [named]: readonly string[]): Promise<void> {
  const { environment, out } = desk;
  const settings = readSettings(environment);
  const address = named ?? options.hub ?? settings.current;
  const url = address === undefined ? undefined : normalUrl(address);
  const remembered = url === undefined ? undefined : settings.hubs[url];
  if (url === undefined || remembered === undefined) {
    return out.result({ hub: url ?? null, forgotten: false }, ["Nobody was signed in here."]);
  }
  // First forgotten, then revoked: signing out works without the hub.
  const { [url]: _gone, ...hubs } = settings.hubs;
  const { current, ...others } = settings;
  writeSettings(environment, { ...others, ...(current === undefined || current === url ? {} : { current }), hubs });
  const revoked = await revoke(url, remembered);
  out.result({ hub: url, forgotten: true, revoked }, [
    `Forgot ${url}.`,
    ...(remembered.token !== undefined && !revoked ? ["The token itself is still good: an admin can revoke it."] : []),
  ]);
}

async function revoke(url: string, remembered: Remembered): Promise<boolean> {
  const hub = connectToHub(url, credentialOf(remembered), { retries: 0 });
  const path =
    remembered.token_id === undefined ? "api/v1/session" : `api/v1/tokens/${encodeURIComponent(remembered.token_id)}`;
  if (remembered.token_id === undefined && remembered.cookie === undefined) return false;
  return hub.send(z.unknown(), "DELETE", path).then(
    () => true,
    () => false,
  );
}
