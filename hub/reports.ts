// Device reports, gathered for a moment and written in one transaction; the receipt is sent only once that is on the disk.
import type { Report, ReportReceipt } from "@context-edge/protocol";
import type { Change, Changes } from "./changes.ts";

export interface ReportDesk {
  /** Resolves when the report is durable. */
  take(deviceId: string, report: Report): Promise<ReportReceipt>;
}

interface Waiting {
  deviceId: string;
  report: Report;
  resolve: (receipt: ReportReceipt) => void;
  reject: (error: unknown) => void;
}

const GATHER_MS = 25;

/** @param afterBatch told which devices changed. */
export function openReportDesk(changes: Changes, afterBatch: (deviceIds: ReadonlySet<string>) => void): ReportDesk {
  let batch: Waiting[] = [];

  const write = async () => {
    const taken = batch;
    batch = [];
    try {
      const receipts = await changes.make("devices", async (change) => {
        const results: ReportReceipt[] = [];
        for (const { deviceId, report } of taken) results.push(await apply(change, deviceId, report));
        return results;
      });
      for (const [index, { resolve }] of taken.entries()) resolve(receipts[index] ?? { accepted_through: 0 });
      afterBatch(new Set(taken.map(({ deviceId }) => deviceId)));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  };

  return {
    take: (deviceId, report) =>
      new Promise((resolve, reject) => {
        batch.push({ deviceId, report, resolve, reject });
        if (batch.length === 1) setTimeout(() => void write(), GATHER_MS);
      }),
  };
}

async function apply({ tx, touched, tell }: Change, deviceId: string, report: Report): Promise<ReportReceipt> {
  const device = await tx.devices.find(deviceId);
  if (!device) return { accepted_through: 0 };
  // A new outbox starts its numbers again; what an old one still sends afterwards changes nothing that is shown.
  const isNewOutbox = device.outbox !== report.outbox;
  let outcomeNumber = isNewOutbox ? 0 : device.outcome_number;
  const lastOutcomes = { ...device.last_outcomes };

  for (const { number, report: outcome } of report.outcomes.toSorted((a, b) => a.number - b.number)) {
    const isNew = await tx.outcomes.insert({ device_id: deviceId, outbox: report.outbox, number, report: outcome });
    outcomeNumber = Math.max(outcomeNumber, number);
    if (!isNew) continue;
    lastOutcomes[outcome.model] = outcome;
    const known = await tx.deployments.find(outcome.deployment_id);
    if (known) touched.deployments.add(known.id);
    await tell(
      `device.${outcome.outcome}`,
      deviceId,
      `${deviceId}: ${outcome.version} ${outcome.outcome}${outcome.code === "OK" ? "" : ` (${outcome.code}): ${outcome.message}`}`,
      { device_id: deviceId, deployment_id: outcome.deployment_id, known_deployment: known !== undefined, outcome },
    );
  }

  const { observed } = report;
  const isNewer = observed !== null && (isNewOutbox || observed.number > device.observed_number);
  await tx.devices.saveReport(deviceId, {
    outbox: report.outbox,
    outcome_number: outcomeNumber,
    observed_number: isNewer ? observed.number : device.observed_number,
    observed: isNewer ? observed.state : device.observed,
    last_outcomes: lastOutcomes,
  });
  touched.devices.add(deviceId);
  touched.groups.add(device.group_name);
  return { accepted_through: outcomeNumber };
}
