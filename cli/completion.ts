// Shell completion: the scripts, and the names a shell asks for while a line is typed.
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { z } from "zod";
import { connectToHub } from "./hub-client.ts";
import { chooseHub, type Environment } from "./settings.ts";

export const COMPLETION = "completion";
const SHELLS = ["bash", "zsh", "fish", "powershell"];

/** Names are wanted while somebody types: rather none than late. */
const PATIENCE_MS = 1_500;

interface Names {
  group: string[];
  version: string[];
  devices: string[];
  deployment: string[];
}

/** Called last: it looks at every command there is. */
export function addCompletion(program: Command, names: Names): void {
  const root = tab(program, { completionCommandName: COMPLETION });
  // This program's own `--version` takes no value and would be found before the one of a command that does.
  root.options.delete("version");
  const offer = (values: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, "");
  };
  const byOption: Record<string, readonly string[]> = {
    group: names.group,
    version: names.version,
    to: names.version,
    devices: names.devices,
    deployment: names.deployment,
  };
  const byArgument: Record<string, readonly string[]> = {
    group: names.group,
    version: names.version,
    device: names.devices,
    id: names.deployment,
  };
  for (const command of root.commands.values()) {
    for (const [name, option] of command.options) {
      const values = byOption[name];
      if (values && option.isBoolean !== true && !(name === "to" && command.value.startsWith("deployments"))) {
        option.handler = offer(values);
      }
    }
    for (const [name, argument] of command.arguments) {
      const values = byArgument[name];
      if (values) argument.handler = offer(values);
    }
  }
  const script = program.commands.find((command) => command.name() === COMPLETION);
  script?.description(`print a completion script (${SHELLS.join(", ")})`);
  // The script has constants of its own that may not be set twice, and needs a function that not every machine's bash has.
  script?.hook("preAction", (_program, action) => {
    if (action.args[0] === "bash") process.stdout.write(BASH_BEFORE);
  });
  script?.hook("postAction", (_program, action) => {
    if (action.args[0] === "bash") process.stdout.write("fi\n");
  });
  script?.addHelpText(
    "after",
    `
Examples:
  eval "$(context-edge completion bash)"      in ~/.bashrc
  source <(context-edge completion zsh)       in ~/.zshrc, after compinit
  context-edge completion fish > ~/.config/fish/completions/context-edge.fish`,
  );
}

const BASH_BEFORE = `if ! declare -F __context_edge_complete >/dev/null; then
if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref() {
    cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" cword=$COMP_CWORD
    words=("\${COMP_WORDS[@]}")
}
fi
`;

/** Is this the shell asking, rather than a person? */
export const isShellAsking = (argv: readonly string[]) => argv[0] === "complete" && argv[1] === "--";

const NONE: Names = { group: [], version: [], devices: [], deployment: [] };
const Named = z.looseObject({ name: z.string() });
const WithVersion = z.looseObject({ version_id: z.string() });
const WithId = z.looseObject({ id: z.string() });

/** What the hub knows by name; nothing at all when it cannot be asked quickly. */
export async function namesFor(argv: readonly string[], environment: Environment): Promise<Names> {
  if (!isShellAsking(argv)) return NONE;
  try {
    const { url, credential } = chooseHub(environment, undefined);
    const hub = connectToHub(url, credential, { retries: 0 });
    const quick = async (read: Promise<string[]>) =>
      Promise.race([read.catch(() => []), new Promise<string[]>((give) => setTimeout(give, PATIENCE_MS, []).unref())]);
    const words = argv.slice(2).join(" ");
    const wants = (pattern: RegExp) => pattern.test(words);
    const [group, version, devices, deployment] = await Promise.all([
      wants(/-g\b|--group|^groups/)
        ? quick(hub.all(Named, "api/v1/groups").then((all) => all.map(({ name }) => name)))
        : [],
      wants(/-v\b|--version|--to|-t\b|^(approve|reject|versions)/)
        ? quick(hub.all(WithVersion, "api/v1/models/default/versions").then((all) => all.map((one) => one.version_id)))
        : [],
      wants(/--devices|-d\b|^devices/)
        ? quick(hub.all(WithId, "api/v1/devices").then((all) => all.map(({ id }) => id)))
        : [],
      wants(/--deployment|^deployments/)
        ? quick(
            hub
              .get(z.looseObject({ items: z.array(WithId) }), "api/v1/deployments", { limit: 20 })
              .then(({ items }) => items.map(({ id }) => id)),
          )
        : [],
    ]);
    return { group, version, devices, deployment };
  } catch {
    return NONE;
  }
}
