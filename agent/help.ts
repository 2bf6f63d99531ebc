// What `--help` prints: the commands, their exit codes, and every setting with its default, written from the settings themselves.
import { Settings, type SettingHelp, type Topic, TOPICS } from "./settings.ts";

export interface SettingRow extends SettingHelp {
  name: string;
  /** As a reader would write it; empty when there is none. */
  fallback: string;
}

/** Every setting as a row, in the order of the schema. */
export function settingRows(): SettingRow[] {
  return Object.entries(Settings.shape).map(([name, schema]) => {
    const said = schema.meta() as unknown as SettingHelp;
    return { name, ...said, fallback: said.shown ?? fallbackOf(schema) };
  });
}

function fallbackOf(schema: (typeof Settings.shape)[keyof typeof Settings.shape]): string {
  const parsed = schema.safeParse(undefined);
  const value = parsed.success ? parsed.data : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

const COMMANDS = `Usage: context-edge-agent [command] [options]

  run                     follow the hub until SIGTERM (default)
  once                    do everything there is to do now, report it, and exit
  status                  what the running agent says of itself
  check                   ask the hub now instead of at the next poll
  hold --hours N          install nothing for N hours; --reason TEXT; --release ends it
  rollback                put the backup back and prove it; --model NAME
  import PATH             take a model file, or a directory of them, from a stick instead of the network
  diagnose                write a diagnostics bundle without secrets; --out FILE
  forget                  give up the numbers of the hub's documents, when the hub cannot reach them any more; --yes does it

  --json                  one JSON document instead of sentences
  --help                  this text
  --version               the agent's version

Exit codes: 0 done and healthy; 1 something is wrong, and it is said what; 2 wrong use or settings; 3 no agent runs on this
directory; 4 refused.`;

export function help(): string {
  const rows = settingRows();
  const width = Math.max(...rows.map((row) => row.name.length));
  const ofTopic = (topic: Topic) =>
    rows
      .filter((row) => row.topic === topic)
      .map((row) => {
        const fallback = row.fallback === "" ? "" : ` (${row.fallback})`;
        return `  ${row.name.padEnd(width)}  ${row.help}${fallback}`;
      });
  return [
    "Context Edge agent: keeps one device's models as its hub wants them, and undoes what does not work.",
    "",
    COMMANDS,
    "",
    "Settings (environment), with defaults:",
    ...TOPICS.flatMap((topic) => ["", topic, ...ofTopic(topic)]),
    "",
    "HTTP_PROXY, HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are honoured.",
  ].join("\n");
}
