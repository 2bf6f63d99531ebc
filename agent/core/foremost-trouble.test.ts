// One trouble of several: what is told first.
import type { Trouble } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { foremostTrouble, type Troubles } from "./foremost-trouble.ts";

const trouble = (code: string): Trouble => ({ code, message: "", next_step: "" });
const NONE: Troubles = { models: [null], refused: null, fetching: [null], others: [null, null] };
const ALL: Troubles = {
  models: [null, trouble("OLD_MODEL_UNHEALTHY")],
  refused: trouble("KEY_UNKNOWN"),
  fetching: [trouble("ARTIFACT_MISSING")],
  others: [trouble("CLOCK")],
};

test.each<[string, Troubles, string | null]>([
  ["nothing wrong", NONE, null],
  ["what runs, of everything at once", ALL, "OLD_MODEL_UNHEALTHY"],
  ["a refused document, before what is tried again", { ...ALL, models: [] }, "KEY_UNKNOWN"],
  ["what is tried again, before the clock", { ...ALL, models: [], refused: null }, "ARTIFACT_MISSING"],
  ["the clock, when there is nothing else", { ...NONE, others: [null, trouble("CLOCK")] }, "CLOCK"],
  [
    "a number the hub can mend, before a blocked model",
    { ...ALL, refused: trouble("MANIFEST_REPLAYED") },
    "MANIFEST_REPLAYED",
  ],
  ["the same of an assignment", { ...ALL, refused: trouble("ASSIGNMENT_FAR_AHEAD") }, "ASSIGNMENT_FAR_AHEAD"],
])("told is %s", (_what, troubles, code) => {
  expect(foremostTrouble(troubles)?.code ?? null).toBe(code);
});
