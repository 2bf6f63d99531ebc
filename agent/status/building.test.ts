// A build on the device's own page and on its terminal: how far it is where that is known, and what it was built for afterwards.
import { expect, test } from "vitest";
import type { BuildProgress } from "@context-edge/protocol";
import type { StatusDocument } from "./document.ts";
import { renderPage } from "./page.ts";
import { statusLines } from "./say.ts";
import { calm, FIXTURES } from "./testing/fixtures.ts";

/** As the device shows it while v2.2 is checked and v2.1 runs. */
function building(build: BuildProgress): StatusDocument {
  const { window: checked = calm } = FIXTURES;
  const model = checked.models["default"] ?? calm.models["default"];
  if (!model?.attempt) throw new Error("the fixture has no attempt");
  return { ...checked, models: { default: { ...model, waiting: null, attempt: { ...model.attempt, build } } } };
}
const choosing = (elapsed_s: number, estimate_s: number | null): BuildProgress => ({
  stage: "choosing kernels",
  elapsed_s,
  estimate_s,
  deadline_s: 3_600,
});
const textOf = (status: StatusDocument) =>
  renderPage(status, { flash: null, lockedMs: 0 })
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");

test("with an earlier build to go by there is a bar and a time left", () => {
  const html = renderPage(building(choosing(258, 600)), { flash: null, lockedMs: 0 });
  expect(html).toMatch(/<progress max="100" value="43" aria-label="Building the engine">/);
  expect(textOf(building(choosing(258, 600)))).toContain(
    "Building the engine, 43 %, about 6 min left, v2.1 keeps serving.",
  );
  expect(textOf(building(choosing(258, 600)))).toContain("the engine is built on this device");
});

test("without one there is no bar, and it is said that nobody knows", () => {
  const html = renderPage(building(choosing(240, null)), { flash: null, lockedMs: 0 });
  expect(html).not.toContain("<progress");
  expect(textOf(building(choosing(240, null)))).toContain("4 min so far, no estimate yet, v2.1 keeps serving.");
});

test("the terminal says the same", () => {
  expect(statusLines(building(choosing(258, 600))).join("\n")).toContain(
    "  Building the engine, 43 %, about 6 min left, v2.1 keeps serving.",
  );
  expect(statusLines(calm).join("\n")).not.toContain("engine");
});

test("a slot says that its engine was made here, and for which TensorRT", () => {
  const model = calm.models["default"];
  if (!model?.current) throw new Error("the fixture runs nothing");
  const digest = "e".repeat(64);
  const built_at = "2026-01-01T00:00:00.000Z";
  const engine = { digest, recipe: digest, tensorrt: "10.3.0", sm: "8.7", built_at, took_s: 570 };
  const status = { ...calm, models: { default: { ...model, current: { ...model.current, engine } } } };
  expect(textOf(status)).toMatch(/Its engine was built here in [^,]*minutes, for TensorRT 10\.3\.0\./);
  expect(textOf(calm)).not.toContain("was built here");
});
