// The store's one interface: repositories, and transactions in which a change and the event that tells of it are written together.
import type { ChainedEvent } from "./audit-chain.ts";
import type { DeploymentState, Envelope, Event } from "@context-edge/protocol";
import type { PeopleRepositories } from "./people.ts";
import type { RetentionRepository } from "./retention.ts";
import type { SeriesRepository } from "./series.ts";
import type {
  DeploymentRecord,
  DeviceRecord,
  GroupRecord,
  LabelRecord,
  NewEvent,
  OutcomeRecord,
  QuarantineRecord,
  TargetRecord,
  VersionRecord,
} from "./records.ts";
import type { FileRepository } from "./files.ts";
import type { IdempotencyRepository } from "./idempotency.ts";
import type { TestimonyRepository } from "./testimonies.ts";
import type { WebhookRepositories } from "./webhooks.ts";

/** Each that is given must fit; times are RFC 3339, from inclusive, to exclusive. */
export interface EventFilter {
  q?: string | undefined;
  kind?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export interface Repositories extends PeopleRepositories, WebhookRepositories, IdempotencyRepository {
  versions: {
    list(model: string): Promise<VersionRecord[]>;
    find(model: string, version: string): Promise<VersionRecord | undefined>;
    /** Every version that has this digest among its variants or as its file. */
    withDigest(digest: string): Promise<VersionRecord[]>;
    insert(version: VersionRecord): Promise<void>;
    decide(
      model: string,
      version: string,
      decision: Pick<VersionRecord, "stage" | "decided_by" | "decided_at" | "decision_reason">,
    ): Promise<void>;
  };
  groups: {
    list(): Promise<GroupRecord[]>;
    find(name: string): Promise<GroupRecord | undefined>;
    /** @returns whether it was new. */
    ensure(name: string, at: string): Promise<boolean>;
    /** One that no device and no target is in. */
    remove(name: string): Promise<void>;
    saveManifest(
      name: string,
      manifest: { manifest_sequence: number; manifest: Envelope; manifest_content: string },
    ): Promise<void>;
  };
  targets: {
    list(): Promise<TargetRecord[]>;
    put(target: TargetRecord): Promise<void>;
    /** The group has no target for this model any more. */
    remove(group: string, model: string): Promise<void>;
    removeOf(group: string): Promise<void>;
  };
  devices: {
    list(): Promise<DeviceRecord[]>;
    /** Those of these ids that there are. At most a few hundred at once. */
    some(ids: readonly string[]): Promise<DeviceRecord[]>;
    /** The next ones after this id, by id. */
    after(id: string, limit: number): Promise<DeviceRecord[]>;
    /** Not revoked, and with these words somewhere in what they reported last. */
    mentioning(words: string): Promise<DeviceRecord[]>;
    /** The ids of a group's devices, revoked ones left out. */
    idsIn(group: string): Promise<string[]>;
    /** Decommissioned ones, which stay known for ever. */
    revokedIn(group: string): Promise<Pick<DeviceRecord, "id" | "assignment_sequence">[]>;
    find(id: string): Promise<DeviceRecord | undefined>;
    byCredential(hash: string): Promise<DeviceRecord | undefined>;
    put(device: DeviceRecord): Promise<void>;
    assign(
      id: string,
      assignment: Pick<DeviceRecord, "group_name" | "home_group" | "assignment_sequence">,
    ): Promise<void>;
    hold(id: string, hold: Pick<DeviceRecord, "hold" | "assignment_sequence">): Promise<void>;
    saveReport(
      id: string,
      report: Pick<DeviceRecord, "outbox" | "observed_number" | "outcome_number" | "observed" | "last_outcomes">,
    ): Promise<void>;
    /** At most a few hundred at once: one statement. */
    touch(seen: ReadonlyMap<string, string>): Promise<void>;
  };
  outcomes: {
    /** Whether this number of this outbox was applied before. */
    isKnown(outcome: Omit<OutcomeRecord, "report">): Promise<boolean>;
    /** @param event of the history, which has the report as its `outcome`: it is kept there alone. */
    insert(outcome: OutcomeRecord, event: number): Promise<void>;
    /** Newest first, with the numbers by which the database keeps them. @param before the last of the page before. */
    ofDevice(deviceId: string, limit: number, before?: number): Promise<(OutcomeRecord & { id: number })[]>;
  };
  deployments: {
    list(filter: {
      model?: string;
      version?: string;
      state?: DeploymentState;
      group?: string;
      limit: number;
      before?: string;
    }): Promise<DeploymentRecord[]>;
    /** Those that may still change a target. */
    open(): Promise<DeploymentRecord[]>;
    find(id: string): Promise<DeploymentRecord | undefined>;
    insert(deployment: DeploymentRecord): Promise<void>;
    update(
      id: string,
      change: Partial<
        Omit<DeploymentRecord, "id" | "model" | "version" | "kind" | "reason" | "created_by" | "created_at">
      >,
    ): Promise<void>;
  };
  quarantines: {
    list(): Promise<QuarantineRecord[]>;
    find(digest: string): Promise<QuarantineRecord | undefined>;
    /** Anew, or again after it was lifted. */
    put(quarantine: QuarantineRecord): Promise<void>;
  };
  labels: {
    /** @returns how many were new. */
    insert(labels: readonly LabelRecord[]): Promise<number>;
    counts(model: string, version: string): Promise<{ predicted: string; actual: string; count: number }[]>;
    /** The same by hour or day of the label's own time; `at` is the beginning of it, `2026-01-31T08` or `2026-01-31`. */
    countsOver(
      of: { model: string; version: string; from: string; to: string; by: "hour" | "day" },
      limit: number,
    ): Promise<{ at: string; predicted: string; actual: string; count: number }[]>;
  };
  testimonies: TestimonyRepository;
  files: FileRepository;
  series: SeriesRepository;
  retention: RetentionRepository;
  events: {
    append(event: NewEvent): Promise<Event>;
    after(id: number, limit: number): Promise<Event[]>;
    newest(limit: number, beforeId?: number, filter?: EventFilter): Promise<Event[]>;
    lastId(): Promise<number>;
    /** With their hashes, oldest first. @param afterId null for the very first, whatever number it has */
    chain(afterId: number | null, limit: number): Promise<ChainedEvent[]>;
    /** The newest event as the chain remembers it; null before the first. */
    head(): Promise<{ id: number; hash: string } | null>;
  };
  /** To the other replicas, told when this transaction commits. Nothing where there are none. */
  signals: { send(payload: string): Promise<void> };
}

export interface Store extends Repositories {
  /** All or nothing. What it resolved with is on the disk. */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
