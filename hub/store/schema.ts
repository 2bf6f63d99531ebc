// The tables as Kysely knows them. JSON lives in text columns, times in RFC 3339 text: both databases agree on those.
import type { Generated } from "kysely";

export interface Schema {
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
    last_seen: string | null;
    revoked: number;
    assignment_sequence: number;
    hold: string | null;
    outbox: string | null;
    observed_number: number;
    outcome_number: number;
    observed: string | null;
    /** By model: the newest outcome report. */
    last_outcomes: string;
  };
  outcomes: {
    id: Generated<number>;
    device_id: string;
    outbox: string;
    number: number;
    deployment_id: string;
    at: string;
    report: string;
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
    share: number;
    retry: number;
    /** Bad ends that a person accepted by resuming. */
    tolerated: number;
    /** By device: the time of the outcome that a retry made void. */
    excused: string;
    reason: string;
    created_by: string;
    created_at: string;
    soaking_since: string | null;
    finished_at: string | null;
    gate: string | null;
    /** Frozen when the deployment stops being any group's target. */
    progress: string | null;
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
  };
}
