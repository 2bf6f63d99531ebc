// The device's identity at the hub: enrolled once with a join token, kept on disk, renewed when the hub has forgotten it.
import { readFile } from "node:fs/promises";
import type { GroupName, Inventory } from "@context-edge/protocol";
import { z } from "zod";
import { describe } from "../errors.ts";
import { checkedFile } from "./checked-file.ts";
import type { Hub, HubFailure } from "./hub-client.ts";

const Identity = z.object({ hub: z.string(), device: z.string(), credential: z.string() });
type Identity = z.infer<typeof Identity>;

export interface Session {
  /** @returns the credential, enrolling first when there is none. */
  credential(signal: AbortSignal): Promise<{ ok: true; credential: string } | HubFailure>;
  /** The hub no longer knows this credential: enrol again at the next occasion. */
  forget(): void;
}

export interface Enrolment {
  hub: Hub;
  hubUrl: string;
  device: string;
  joinTokenFile: string | undefined;
  group: GroupName | undefined;
  inventory: Inventory;
}

export async function openSession(path: string, enrolment: Enrolment): Promise<Session> {
  const file = checkedFile(path, Identity);
  const { hubUrl, device } = enrolment;
  const loaded = await file.load();
  const isOurs = loaded.is === "whole" && loaded.value.hub === hubUrl && loaded.value.device === device;
  let identity: Identity | null = isOurs ? loaded.value : null;
  let enrolling: ReturnType<Session["credential"]> | null = null;
  const enrolOnce = async (signal: AbortSignal) => {
    const enrolled = await enrol(enrolment, signal);
    if (!enrolled.ok) return enrolled;
    const fresh = { hub: hubUrl, device, credential: enrolled.credential };
    // On disk before it is used: the hub shows a credential once.
    await file.save(fresh);
    identity = fresh;
    return enrolled;
  };
  return {
    async credential(signal) {
      if (identity) return { ok: true, credential: identity.credential };
      // Poll and report ask at the same time; a second enrolment would make the first one's credential worthless.
      enrolling ??= enrolOnce(signal).finally(() => {
        enrolling = null;
      });
      return enrolling;
    },
    forget() {
      if (enrolment.joinTokenFile !== undefined) identity = null;
    },
  };
}

async function enrol(
  { hub, device, joinTokenFile, group, inventory }: Enrolment,
  signal: AbortSignal,
): Promise<{ ok: true; credential: string } | HubFailure> {
  if (joinTokenFile === undefined) {
    return notEnrolled("this device is not enrolled and has no join token", "Set AGENT_JOIN_TOKEN_FILE.");
  }
  let token: string;
  try {
    token = (await readFile(joinTokenFile, "utf8")).trim();
  } catch (error) {
    return notEnrolled(`the join token cannot be read: ${describe(error)}`, "Check AGENT_JOIN_TOKEN_FILE.");
  }
  const request = { join_token: token, device_id: device, inventory, ...(group === undefined ? {} : { group }) };
  const answer = await hub.enroll(request, signal);
  return answer.ok ? { ok: true, credential: answer.reply.credential } : answer;
}

function notEnrolled(message: string, nextStep: string): HubFailure {
  return { ok: false, code: "NOT_ENROLLED", message, nextStep, status: null, retryAfterMs: null };
}
