// Who still needs a version or its files, and so whether they may go. Pure: what counts is what is passed in.
import type { Digest, Stage } from "@context-edge/protocol";

export interface Slot {
  model: string;
  slot: "current" | "backup" | "attempt";
  version: string;
  digest: Digest;
}

/** Everything that can refer to a file. */
export interface UseFacts {
  targets: readonly {
    group_name: string;
    model: string;
    version: string;
    previous_version: string | null;
    outside_version: string | null;
  }[];
  /** Open ones, and those that a group follows. */
  deployments: readonly {
    id: string;
    model: string;
    version: string;
    previous: Readonly<Record<string, string | null>>;
  }[];
  /** As they were sealed: whoever has not polled since goes by them. */
  manifests: readonly { group: string; offers: readonly { model: string; version: string; digests: Digest[] }[] }[];
  /** As they reported last, however long ago. */
  devices: readonly { id: string; slots: readonly Slot[] }[];
}

export interface Sought {
  isVersion: (model: string, version: string) => boolean;
  isDigest: (digest: Digest) => boolean;
}

const SLOT_WORDS: Record<Slot["slot"], string> = {
  current: "runs on",
  backup: "is the backup of",
  attempt: "is being installed on",
};

/** One phrase for each that needs it, such as `is the target of line-a`; empty when nobody does. */
export function usersOf({ isVersion, isDigest }: Sought, facts: UseFacts): string[] {
  const uses = new Set<string>();
  const say = (isUse: boolean, phrase: string) => void (isUse && uses.add(phrase));
  for (const { group_name: group, model, version, previous_version, outside_version } of facts.targets) {
    const is = (id: string | null) => id !== null && isVersion(model, id);
    say(is(version), `is the target of ${group}`);
    say(is(previous_version), `is what ${group} would go back to`);
    say(is(outside_version), `is what ${group} runs outside the wave`);
  }
  for (const { id, model, version, previous } of facts.deployments) {
    say(isVersion(model, version), `belongs to deployment ${id}`);
    const before = Object.values(previous);
    say(
      before.some((one) => one !== null && isVersion(model, one)),
      `is what deployment ${id} would restore`,
    );
  }
  for (const { group, offers } of facts.manifests) {
    const isOffered = offers.some(({ model, version, digests }) => isVersion(model, version) || digests.some(isDigest));
    say(isOffered, `is in the manifest of ${group}`);
  }
  for (const { id, slots } of facts.devices) {
    for (const { model, slot, version, digest } of slots)
      say(isVersion(model, version) || isDigest(digest), `${SLOT_WORDS[slot]} ${id}`);
  }
  return [...uses];
}

export interface FileFacts {
  /** Every version that names these bytes. */
  versions: readonly { model: string; version_id: string; stage: Stage; decidedMs: number }[];
  uses: readonly string[];
  /** When it was written, and when somebody last uploaded it again. */
  writtenMs: number;
  uploadedMs: number;
}

/** @param limitMs what came, or was archived, since then stays: its registration, or a change of mind, may follow. @returns null: it may go */
export function whyKept({ versions, uses, writtenMs, uploadedMs }: FileFacts, limitMs: number): string | null {
  const registered = versions.find(({ stage }) => stage !== "archived");
  if (registered) return `belongs to ${registered.version_id}, which is ${registered.stage}`;
  const [use] = uses;
  if (use !== undefined) return use;
  const [version] = versions;
  const archivedMs = Math.max(0, ...versions.map(({ decidedMs }) => decidedMs));
  if (archivedMs >= limitMs) return `belongs to ${version?.version_id}, which was archived not long ago`;
  if (Math.max(writtenMs, uploadedMs) >= limitMs) return "was uploaded not long ago";
  return null;
}
