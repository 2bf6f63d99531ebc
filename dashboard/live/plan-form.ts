// From what an engineer fills in to the plan that the hub is asked for, and back in words. Pure.
import type { DeploymentPlan } from "./client.ts";

export interface PlanForm {
  version: string;
  groups: readonly string[];
  /** "1, 10%, 100%": numbers of devices or shares of each group. */
  waves: string;
  together: boolean;
  soakHours: number;
  promote: "by-hand" | "automatic";
  onFail: "halt" | "roll-back";
  /** "0", "2" or "5%". */
  maxBad: string;
  /** As the browser's field gives it, in local time; empty: now. */
  startAt: string;
  requireLabels: boolean;
  reason: string;
}

export const newPlan = (version: string, soakHours: number): PlanForm => ({
  version,
  groups: [],
  waves: "1, 25%, 100%",
  together: false,
  soakHours,
  promote: "by-hand",
  onFail: "halt",
  maxBad: "0",
  startAt: "",
  requireLabels: false,
  reason: "",
});

type Size = { share: number } | { count: number };
export type Read<T> = { ok: true; value: T } | { ok: false; why: string };

export function readWaves(text: string): Read<Size[]> {
  const sizes: Size[] = [];
  for (const part of text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")) {
    const size = readSize(part);
    if (!size) return { ok: false, why: `"${part}" is neither a number of devices nor a share such as 10%.` };
    sizes.push(size);
  }
  const last = sizes.at(-1);
  if (!last) return { ok: false, why: "Name at least one wave; 100% is everybody at once." };
  if (!("share" in last) || last.share < 1)
    return { ok: false, why: "The last wave must be 100%: nobody may be left out for good." };
  return { ok: true, value: sizes };
}

function readSize(text: string): Size | null {
  const percent = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (percent !== undefined) {
    const share = Number(percent) / 100;
    return share > 0 && share <= 1 ? { share } : null;
  }
  return /^[1-9]\d{0,5}$/.test(text) ? { count: Number(text) } : null;
}

export function readMaxBad(text: string): Read<Size> {
  if (/^0+%?$/.test(text.trim())) return { ok: true, value: { count: 0 } };
  const size = readSize(text.trim());
  return size
    ? { ok: true, value: size }
    : { ok: false, why: "How many devices may fail is a number, or a share such as 5%." };
}

/** @param id of a preview: the deployment then has the very waves that were shown. */
export function planOfForm(form: PlanForm, id?: string): Read<DeploymentPlan> {
  if (form.groups.length === 0) return { ok: false, why: "Choose at least one group." };
  const waves = readWaves(form.waves);
  if (!waves.ok) return waves;
  const maxBad = readMaxBad(form.maxBad);
  if (!maxBad.ok) return maxBad;
  if (!(form.soakHours >= 0)) return { ok: false, why: "How long to watch is a number of hours." };
  const startMs = form.startAt === "" ? null : Date.parse(form.startAt);
  if (Number.isNaN(startMs)) return { ok: false, why: "The start is no time." };
  return {
    ok: true,
    value: {
      ...(id === undefined ? {} : { id }),
      version: form.version,
      groups: [...form.groups],
      waves: waves.value,
      together: form.together,
      gate: { soak_seconds: Math.round(form.soakHours * 3_600), require_labels: form.requireLabels },
      promote: form.promote,
      on_fail: form.onFail,
      max_bad: maxBad.value,
      ...(startMs === null ? {} : { start_at: new Date(startMs).toISOString() }),
      ...(form.reason.trim() === "" ? {} : { reason: form.reason.trim() }),
    },
  };
}
