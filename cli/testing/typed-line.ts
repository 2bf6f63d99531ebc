// A real shell on a real terminal, into which a test types: what TAB does there, nobody has pressed Enter for.
import { spawn } from "node:child_process";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type ShellName = (typeof SHELLS)[number];

/** What is typed before it shows is not the shell's to read yet. */
const PROMPT = "ready> ";

const START: Record<ShellName, { command: string; load: string }> = {
  bash: {
    command: "bash --norc --noprofile -i",
    load: `PS1='${PROMPT}'; bind 'set show-all-if-ambiguous on'; eval "$(context-edge completion bash)"`,
  },
  zsh: {
    command: "zsh -f -i",
    // Out of the box zsh's TAB expands the word it stands in before it asks anybody: that is zsh's own doing.
    load: `PS1='${PROMPT}'; autoload -U compinit; compinit -u -D; source <(context-edge completion zsh); bindkey '^I' complete-word`,
  },
  fish: {
    command: "fish --no-config -i",
    load: `function fish_prompt; echo -n '${PROMPT}'; end; context-edge completion fish | source`,
  },
};

export interface Typist {
  type(keys: string): void;
  /** Until it has printed that, and the shell waits for the next line; typed so that the line itself does not hold what is printed. */
  run(line: string, prints: string): Promise<void>;
  /** @throws when the terminal does not show it within the deadline */
  shows(text: string | RegExp): Promise<void>;
  close(): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** @returns a shell that has loaded its completion script and waits for a line */
export async function openTypist(shell: ShellName, cwd: string, env: Record<string, string>): Promise<Typist> {
  const { command, load } = START[shell];
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd, env: { ...env, TERM: "xterm" }, stdio: "pipe" });
  let screen = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (screen += String(chunk)));
  const holds = (text: string | RegExp) => (typeof text === "string" ? screen.includes(text) : text.test(screen));
  const typist: Typist = {
    type: (keys) => void child.stdin.write(keys),
    shows: (text) =>
      new Promise((resolve, reject) => {
        const giveUp = setTimeout(() => reject(new Error(`no ${String(text)} on the screen:\n${screen}`)), DEADLINE_MS);
        const look = () => {
          if (!holds(text)) return;
          clearTimeout(giveUp);
          child.stdout.off("data", look);
          resolve();
        };
        child.stdout.on("data", look);
        look();
      }),
    run(line, prints) {
      typist.type(`${line}\n`);
      return typist.shows(new RegExp(`${prints}\r?\n[^]*${PROMPT}`));
    },
    async close() {
      // Without its terminal a shell ends.
      child.kill("SIGKILL");
      await ended;
    },
  };
  await typist.run(`${load}; echo load''ed`, "loaded");
  return typist;
}
