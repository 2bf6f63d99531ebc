// What the hub says of itself at /readyz, as a person reads it: nothing while all is well.
import { z } from "zod";
import { ApiError, type Line } from "./line.ts";

const Checks = z.record(z.string(), z.looseObject({ ok: z.boolean(), detail: z.string().nullable() }));
const Ready = z.looseObject({ checks: Checks });

/** What it means to whoever looks at the fleet. */
const MEANING: Record<string, string> = {
  artifacts:
    "The hub cannot reach the files of the models. Nobody can upload, and no device can begin to install. Devices keep what they run, and install by themselves once it is back.",
  database: "The hub cannot write its database. Nothing can be changed, and reports of devices wait.",
  signing_key: "The hub cannot sign. Devices get no new orders.",
};

export interface Complaint {
  check: string;
  meaning: string;
  /** The hub's own words. */
  detail: string;
}

export function complaintsIn(answer: unknown): Complaint[] {
  const { data } = Ready.safeParse(answer);
  return Object.entries(data?.checks ?? {}).flatMap(([check, { ok, detail }]) => {
    const meaning = MEANING[check];
    return ok || meaning === undefined ? [] : [{ check, meaning, detail: detail ?? "" }];
  });
}

/** That the hub cannot be reached at all is said elsewhere. */
export async function askHealth(call: Line["call"]): Promise<Complaint[]> {
  try {
    return complaintsIn(await call(Ready, "GET", "/readyz"));
  } catch (error) {
    return error instanceof ApiError ? complaintsIn(error.problem?.context) : [];
  }
}
