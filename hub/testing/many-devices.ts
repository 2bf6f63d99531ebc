// A fleet of any size put straight into a store, for tests and benches: enrolling thousands one by one would take minutes.
import type { Observed } from "@context-edge/protocol";
import { hashSecret } from "../auth/secrets.ts";
import type { DeviceRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";

const AT = "2026-01-01T00:00:00.000Z";

export const credentialOf = (id: string) => `ced_bench_${id}`;

export async function putDevices(store: Store, ids: readonly string[], group: string): Promise<void> {
  for (let start = 0; start < ids.length; start += 500) {
    await store.transaction(async (tx) => {
      await tx.groups.ensure(group, AT);
      for (const id of ids.slice(start, start + 500)) await tx.devices.put(deviceRecord(id, group));
    });
  }
}

export function deviceRecord(id: string, group: string, more: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id,
    group_name: group,
    home_group: null,
    credential_hash: hashSecret(credentialOf(id)),
    enrolled_at: AT,
    last_seen: AT,
    revoked: false,
    assignment_sequence: 1,
    hold: null,
    outbox: null,
    observed_number: 0,
    outcome_number: 0,
    observed: null,
    last_outcomes: {},
    ...more,
  };
}

export function observedRunning(version: string, digest: string, more: Partial<Observed> = {}): Observed {
  return {
    at: AT,
    phase: "idle",
    inventory: { agent_version: "test", arch: "arm64" },
    models: {
      default: {
        current: { version, digest },
        backup: null,
        current_since: AT,
        attempt: null,
        waiting: null,
        last_outcome: null,
        quarantined: [],
        stats: null,
      },
    },
    hold: null,
    telemetry: null,
    trouble: null,
    manifest_sequence: null,
    status_url: null,
    ...more,
  };
}
