// The store's one interface: repositories, and transactions in which a change and the event that tells of it are written together.
import type { Envelope, Event } from "@context-edge/protocol";
import type {
  DeploymentRecord,
  DeviceRecord,
  GroupRecord,
  LabelRecord,
  NewEvent,
  OutcomeRecord,
  TargetRecord,
  VersionRecord,
} from "./records.ts";

export interface Repositories {
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
    saveManifest(
      name: string,
      manifest: { manifest_sequence: number; manifest: Envelope; manifest_content: string },
    ): Promise<void>;
  };
  targets: {
    list(): Promise<TargetRecord[]>;
    put(target: TargetRecord): Promise<void>;
  };
  devices: {
    list(): Promise<DeviceRecord[]>;
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
    touch(seen: ReadonlyMap<string, string>): Promise<void>;
  };
  outcomes: {
    /** @returns false when this number of this outbox was applied before. */
    insert(outcome: OutcomeRecord): Promise<boolean>;
    ofDevice(deviceId: string, limit: number): Promise<OutcomeRecord[]>;
  };
  deployments: {
    list(filter: { model?: string; version?: string; limit: number; before?: string }): Promise<DeploymentRecord[]>;
    /** Those that may still change a target. */
    open(): Promise<DeploymentRecord[]>;
    find(id: string): Promise<DeploymentRecord | undefined>;
    insert(deployment: DeploymentRecord): Promise<void>;
    update(
      id: string,
      change: Partial<
        Pick<
          DeploymentRecord,
          | "state"
          | "state_reason"
          | "soaking_since"
          | "finished_at"
          | "gate"
          | "progress"
          | "retry"
          | "tolerated"
          | "excused"
        >
      >,
    ): Promise<void>;
  };
  labels: {
    /** @returns how many were new. */
    insert(labels: readonly LabelRecord[]): Promise<number>;
    counts(model: string, version: string): Promise<{ predicted: string; actual: string; count: number }[]>;
  };
  events: {
    append(event: NewEvent): Promise<Event>;
    after(id: number, limit: number): Promise<Event[]>;
    newest(limit: number, beforeId?: number): Promise<Event[]>;
    lastId(): Promise<number>;
  };
}

export interface Store extends Repositories {
  /** All or nothing. What it resolved with is on the disk. */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
