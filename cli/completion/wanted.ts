// What may stand where the cursor is: worked out from the commands there are and the words typed so far. Nothing is run, nothing is asked.
import type { Argument, Command, Option } from "commander";

/** What the hub knows by name. */
export type Source =
  | "groups"
  | "versions"
  | "pending"
  | "quarantined"
  | "devices"
  | "deployments"
  | "users"
  | "tokens"
  | "join-tokens";

export interface Word {
  value: string;
  about: string;
}

export type Wanted =
  | { kind: "words"; words: readonly Word[] }
  | { kind: "files" }
  /**
   * Of `model` where that matters; `lead` is what stands before the name within its word: `--group=`, `d1,`. `also`: commands
   * that may stand there too.
   */
  | { kind: "names"; of: Source; model: string; hub: string | undefined; lead: string; also: readonly Word[] };

/** By the word in a command's help that stands for the value. */
const SOURCES: Readonly<Record<string, Source | "files">> = {
  group: "groups",
  version: "versions",
  "version-or-digest": "quarantined",
  device: "devices",
  devices: "devices",
  deployment: "deployments",
  user: "users",
  token: "tokens",
  "join-token": "join-tokens",
  file: "files",
};
/** Only what waits for review can be reviewed. */
const REVIEWS = new Set(["approve", "reject"]);

const NOTHING: Wanted = { kind: "words", words: [] };

/** @param typed the words after the program's name, up to the cursor; the last one is where it stands, perhaps empty */
export function wantedAt(program: Command, typed: readonly string[]): Wanted {
  const current = typed.at(-1) ?? "";
  const place = walk(program, typed.slice(0, -1));
  const { command, awaiting, operands, given } = place;
  const valueOf = (taker: Option | Argument, lead: string): Wanted => {
    const choices = taker.argChoices;
    if (choices) return words(choices.map((value) => ({ value: `${lead}${value}`, about: "" })));
    const name = placeholderOf(taker);
    const source = REVIEWS.has(command.name()) && name === "version" ? "pending" : SOURCES[name];
    if (source === undefined) return NOTHING;
    if (source === "files") return { kind: "files" };
    const inList = name === "devices" ? current.slice(lead.length).replace(/[^,]*$/, "") : "";
    const { model = "default", hub } = given;
    return { kind: "names", of: source, model, hub, lead: `${lead}${inList}`, also: [] };
  };
  if (awaiting) return valueOf(awaiting, "");
  if (current.startsWith("-")) {
    const [flag = "", inline] = current.split(/=(.*)/s);
    const option = inline === undefined ? undefined : optionOf(command, flag);
    if (inline !== undefined) return option && takesValue(option) ? valueOf(option, `${flag}=`) : NOTHING;
    return words(
      command
        .createHelp()
        .visibleOptions(command)
        .flatMap(({ long, description }) => (long ? [{ value: long, about: description }] : [])),
    );
  }
  const children = operands === 0 ? command.createHelp().visibleCommands(command) : [];
  const commands = children.map((child) => ({ value: child.name(), about: child.description() }));
  const argument = command.registeredArguments[operands];
  const value = argument ? valueOf(argument, "") : NOTHING;
  if (value.kind === "names") return { ...value, also: commands };
  return value.kind === "files" ? value : words([...commands, ...value.words]);
}

interface Place {
  command: Command;
  /** Whose value comes next. */
  awaiting: Option | undefined;
  operands: number;
  given: { model?: string; hub?: string };
}

function walk(program: Command, before: readonly string[]): Place {
  const place: Place = { command: program, awaiting: undefined, operands: 0, given: {} };
  const keep = (option: Option, value: string) => {
    const name = option.attributeName();
    if (name === "model" || name === "hub") place.given[name] = value;
  };
  for (const word of before) {
    if (place.awaiting) {
      keep(place.awaiting, word);
      place.awaiting = undefined;
    } else if (word.startsWith("-")) {
      const [flag = "", inline] = word.split(/=(.*)/s);
      const option = optionOf(place.command, flag);
      if (option && takesValue(option)) {
        if (inline === undefined) place.awaiting = option;
        else keep(option, inline);
      }
    } else {
      const child = place.operands === 0 ? place.command.commands.find((one) => one.name() === word) : undefined;
      if (child) place.command = child;
      else place.operands += 1;
    }
  }
  return place;
}

const words = (all: readonly Word[]): Wanted => ({ kind: "words", words: all });
const takesValue = (option: Option) => option.required || option.optional;

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function placeholderOf(taker: Option | Argument): string {
  return "flags" in taker ? (/[<[]([^>\]]+)[>\]]/.exec(taker.flags)?.[1] ?? "") : taker.name();
}
