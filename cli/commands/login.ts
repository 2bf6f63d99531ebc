// `login` and `logout`: make sure the secret works before it is kept, never show it, and leave nothing behind that is still good.
import type { Command } from "commander";
import { z } from "zod";
import { Session } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import { ANSWER_IN, connectToHub, parseAnswer, reach } from "../hub-client.ts";
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
    .description("forget a hub; a session with a name is ended");
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
  const earlier = settings.hubs[url];
  writeSettings(environment, { ...settings, current: url, hubs: { ...settings.hubs, [url]: remembered } });
  if (earlier && (await end(url, earlier)) === "still good") {
    out.note("warning: the earlier sign-in here could not be ended; an admin can, by disabling the account.");
  }
  if (auth !== "none" && isPlainText(url)) out.note("warning: the address is not https; the secret travels readable.");
  out.result({ hub: url, session }, [
    auth === "none"
      ? `${url} asks nobody to sign in.`
      : `Signed in at ${url} as ${session.user ?? "nobody in particular"}.`,
    `Remembered in ${settingsFile(environment)}.`,
  ]);
}

/** A name brings a session of that person and nothing that outlives them: it ends with the account, and its role is the account's. */
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
  // Where the hub says to try again, it is right: signing in is what was just tried.
  const { user } = parseAnswer(Session, response, { url, signIn: "Try again, or ask an admin for a new password." });
  const cookie = (response.headers["set-cookie"] ?? []).map((one) => one.split(";", 1)[0]).join("; ");
  if (cookie === "") {
    throw new Failure(EXIT.refused, "The hub took the password but gave no session.", {
      code: "ANSWER_NOT_UNDERSTOOD",
    });
  }
  return { cookie, name: user ?? name };
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
  // First forgotten, then ended: signing out works without the hub.
  const { [url]: _gone, ...hubs } = settings.hubs;
  const { current, ...others } = settings;
  writeSettings(environment, { ...others, ...(current === undefined || current === url ? {} : { current }), hubs });
  const ending = await end(url, remembered);
  out.result({ hub: url, forgotten: true, revoked: ending === "ended" }, [
    `Forgot ${url}.`,
    ...(ending === "still good" ? [STILL_GOOD] : []),
    ...(ending === "not ours" && remembered.token !== undefined ? [NOT_OURS] : []),
  ]);
}

const STILL_GOOD = "The hub could not be told: the session is good there until its time is up. An admin can end it.";
const NOT_OURS = "The token itself is still good: an admin can revoke it.";

/** A session, or a token that an earlier login made; one that somebody brought along is not for this machine to revoke. */
async function end(url: string, remembered: Remembered): Promise<"ended" | "still good" | "not ours"> {
  const { cookie, token_id: madeHere } = remembered;
  if (cookie === undefined && madeHere === undefined) return "not ours";
  const hub = connectToHub(url, credentialOf(remembered), { retries: 0 });
  const path = madeHere === undefined ? "api/v1/session" : `api/v1/tokens/${encodeURIComponent(madeHere)}`;
  return hub.send(z.unknown(), "DELETE", path).then(
    () => "ended" as const,
    () => "still good" as const,
  );
}
