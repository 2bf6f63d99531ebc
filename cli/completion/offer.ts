// Answers a shell that asks what may stand at the cursor: a word a line, or that the shell shall look for files itself.
import type { Command } from "commander";
import { DeviceId, GroupName, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { modelPath, type World } from "../desk.ts";
import { connectToHub } from "../hub-client.ts";
import { ARGUMENTS } from "../names.ts";
import { chooseHub, type Environment } from "../settings.ts";
import { type Source, type Wanted, wantedAt, type Word } from "./wanted.ts";

/** Names are wanted while somebody types: rather none than late. */
const PATIENCE_MS = 1_500;
/** What the scripts look for. No word that is offered begins with a colon. */
export const FILES = ":files";

/** Is this the shell asking, rather than a person? */
export const isShellAsking = (argv: readonly string[]) => argv[0] === "complete" && argv[1] === "--";

export async function offer(
  program: Command,
  typed: readonly string[],
  { environment, streams }: World,
): Promise<void> {
  const wanted = wantedAt(program, typed);
  if (wanted.kind === "files") {
    streams.stdout.write(`${FILES}\n`);
    return;
  }
  const words = wanted.kind === "words" ? wanted.words : [...wanted.also, ...(await namesOf(wanted, environment))];
  const current = typed.at(-1) ?? "";
  for (const { value, about } of words) {
    if (value.startsWith(current)) streams.stdout.write(`${value}\t${about}\n`);
  }
}

type Names = Extract<Wanted, { kind: "names" }>;

interface Lookup {
  path: (wanted: Names) => string;
  query?: Record<string, string | number>;
  field: "id" | "name" | "version_id";
  /** Anything else does not belong on a command line, whoever the hub is. */
  name: z.ZodType<string>;
}

const UserOrToken = ARGUMENTS["user"] ?? z.never();
const LOOKUPS: Record<Source, Lookup> = {
  groups: { path: () => "api/v1/groups", field: "name", name: GroupName },
  versions: { path: ({ model }) => modelPath(model), field: "version_id", name: VersionId },
  pending: versionsAt("pending"),
  quarantined: versionsAt("quarantined"),
  devices: { path: () => "api/v1/devices", field: "id", name: DeviceId },
  deployments: { path: () => "api/v1/deployments", query: { limit: 20 }, field: "id", name: VersionId },
  users: { path: () => "api/v1/users", field: "name", name: UserOrToken },
  tokens: { path: () => "api/v1/tokens", field: "name", name: UserOrToken },
  "join-tokens": { path: () => "api/v1/join-tokens", field: "name", name: UserOrToken },
};

function versionsAt(stage: string): Lookup {
  return { path: ({ model }) => modelPath(model), query: { stage }, field: "version_id", name: VersionId };
}

const Page = z.looseObject({ items: z.array(z.record(z.string(), z.unknown())) });

/** What the hub knows by name; nothing at all when it cannot be asked quickly. */
async function namesOf(wanted: Names, environment: Environment): Promise<Word[]> {
  const { path, query, field, name } = LOOKUPS[wanted.of];
  const ask = async () => {
    const { url, credential } = chooseHub(environment, wanted.hub);
    const { items } = await connectToHub(url, credential, { retries: 0 }).get(Page, path(wanted), {
      limit: 1_000,
      ...query,
    });
    return items.flatMap((item) => {
      const parsed = item["revoked_at"] ? undefined : name.safeParse(item[field]);
      return parsed?.success ? [{ value: `${wanted.lead}${parsed.data}`, about: "" }] : [];
    });
  };
  const late = new Promise<Word[]>((give) => setTimeout(give, PATIENCE_MS, []).unref());
  return Promise.race([ask().catch(() => []), late]);
}
