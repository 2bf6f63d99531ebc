// The tables as Kysely knows them. JSON lives in text columns, times in RFC 3339 text: both databases agree on those.
import type { Generated } from "kysely";
import type { PeopleSchema } from "./people-schema.ts";

export interface Schema extends PeopleSchema {
  versions: {
    model: string;
    version_id: string;
    stage: string;
    accuracy: number;
    training_samples: number;
    training_date: string;
    metrics: string;
    variants: string;
    sha256: string;
    size_bytes: number;
    model_path: string;
    /** DSSE envelope; null when nobody signed. */
    statement: string | null;
    signed_by: string | null;
    /** Of the request as it was sent: tells the same registration from another one. */
    content_hash: string;
    registered_at: string;
    registered_by: string;
    decided_by: string | null;
    decided_at: string | null;
    decision_reason: string | null;
  };
  groups: {
    name: string;
    created_at: string;
    manifest_sequence: number;
    /** The sealed manifest with this sequence: after a restart the same bytes are served again. */
    manifest: string | null;
    /** Of everything in the manifest but its number and times. */
    manifest_content: string | null;
  };
  targets: {
    group_name: string;
    model: string;
    version: string;
    previous_version: string | null;
    outside_version: string | null;
    deployment_id: string;
    since: string;
  };
  devices: {
    id: string;
    group_name: string;
    /** Where the device returns to when it leaves the pilot. */
    home_group: string | null;
    credential_hash: string;
    enrolled_at: string;
    revoked: number;
    assignment_sequence: number;
    hold: string | null;
    outbox: string | null;
    observed_number: number;
    outcome_number: number;
    observed: string | null;
    /** By model: the newest outcome report. */
    last_outcomes: string;
    dead_since: string | null;
  };
  /** By device: when it was last heard of. Written every few minutes, so apart from what it reported, which is a hundred times as long. */
  sightings: {
    device_id: string;
    at: string;
  };
  outcomes: {
    device_id: string;
    outbox: string;
    number: number;
    /** The event that tells of it. Of releases before 0013: its place among those of before, lower than any event told since. */
    id: number;
    deployment_id: string;
    at: string;
    /** Null: the event has it. */
    report: string | null;
  };
  deployments: {
    id: string;
    model: string;
    version: string;
    kind: string;
    groups: string;
    previous: string;
    state: string;
    state_reason: string;
    plan: string;
    step: number;
    /** By group: how much of it has had its turn. */
    shares: string;
    /** By group: the deployment it followed when this one was made. */
    expected: string;
    /** By device: the phase whose deadline passed. */
    timed_out: string;
    retry: number;
    /** Bad ends that a person accepted by resuming. */
    tolerated: number;
    /** By device: the time of the outcome that a retry made void. */
    excused: string;
    reason: string;
    created_by: string;
    created_at: string;
    step_since: string | null;
    soaking_since: string | null;
    /** By device: since when it is seen to run the version. */
    watched: string;
    /** By device: phase and time waited in it. */
    stays: string;
    halted_by: string | null;
    finished_at: string | null;
    gate: string | null;
    /** Frozen when the deployment stops being any group's target. */
    progress: string | null;
  };
  quarantines: {
    digest: string;
    model: string;
    version: string;
    reason: string;
    counted: string;
    /** By `model/version`: what it was before. */
    stages_before: string;
    by_whom: string;
    at: string;
    lifted_by: string | null;
    lifted_at: string | null;
    lift_reason: string | null;
  };
  testimonies: {
    digest: string;
    device_id: string;
    at: string;
    against: number;
    code: string;
    message: string;
  };
  labels: {
    model: string;
    version: string;
    prediction_id: string;
    device_id: string;
    predicted: string;
    actual: string;
    at: string;
  };
  events: {
    id: Generated<number>;
    at: string;
    kind: string;
    actor: string;
    subject: string;
    summary: string;
    data: string;
    previous_hash: string;
    hash: string;
  };
  webhooks: {
    id: string;
    url: string;
    secret: string;
    kinds: string;
    format: string;
    enabled: number;
    offline_after_seconds: number | null;
    created_by: string;
    created_at: string;
  };
  webhook_deliveries: {
    webhook_id: string;
    number: number;
    message_id: string;
    kind: string;
    body: string;
    state: string;
    aside: number;
    tries: number;
    created_at: string;
    next_at: string | null;
    last_at: string | null;
    last_status: number | null;
    last_error: string | null;
  };
  absences: {
    device_id: string;
    limit_seconds: number;
    since: string;
  };
  idempotency_keys: {
    actor: string;
    key: string;
    fingerprint: string;
    created_at: string;
    status: number | null;
    content_type: string | null;
    body: string | null;
  };
  uploads: {
    digest: string;
    /** When it was last uploaded, or asked for to be uploaded. */
    at: string;
  };
  /** Files that are being removed. */
  condemned: {
    digest: string;
    size_bytes: number;
    why: string;
  };
  /** Named places to go on from. */
  marks: {
    name: string;
    value: string;
  };
  /** One row: the newest event of the chain. */
  audit_head: {
    name: string;
    id: number;
    hash: string;
  };
  /** Figures over time: a block of cells a row, see core/series-pack.ts. */
  series: {
    resolution: number;
    /** Start of the block, minutes since the epoch. */
    block: number;
    /** `d/edge-001`, `g/pilot`. */
    subject: string;
    kind: string;
    model: string;
    version: string;
    /** Of the hub that wrote it; 0 once rolled up. Several hubs, or one that was restarted, never overwrite each other. */
    part: number;
    cells: string;
  };
  series_state: {
    name: string;
    value: number;
  };
}
