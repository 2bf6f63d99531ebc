// Secrets come in without an echo from a terminal, or as the first line of a pipe; never as an argument that `ps` shows.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { EXIT, Failure, wrongUse } from "./exits.ts";
import type { Desk } from "./desk.ts";

export async function askSecret(
  { streams: { stdin, stderr } }: Desk,
  question: string,
  instead: string,
): Promise<string> {
  if (!stdin.isTTY) throw wrongUse("There is no terminal to ask for the secret.", instead);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: true });
  // Asked only once the echo is off: who pastes quickly must not see it either.
  stderr.write(`${question}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("SIGINT", () => reject(interrupted()));
      lines.once("close", () => reject(interrupted()));
    });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}

const interrupted = () => new Failure(EXIT.interrupted, "Nothing was entered.", { code: "INTERRUPTED" });

const LONGEST = 16_384;

export async function readSecret({ streams: { stdin } }: Desk): Promise<string> {
  let text = "";
  for await (const chunk of stdin.setEncoding("utf8")) {
    text += String(chunk);
    if (text.includes("\n") || text.length > LONGEST) break;
  }
  const secret = (text.split("\n", 1)[0] ?? "").trim();
  if (secret === "") throw wrongUse("Standard input holds no secret.");
  return secret;
}
