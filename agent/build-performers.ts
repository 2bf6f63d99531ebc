// The hands that build: whether it may be begun, and the build itself. What runs is not touched by either.
import type { BuildOrder, Candidate } from "./core/candidate.ts";
import { toolMissing } from "./core/build-complaints.ts";
import { damagedFile, overBudget, unproved } from "./core/complaints.ts";
import type { BuiltFile, Mishap, Performers } from "./core/steps.ts";
import { buildEngine } from "./effects/builds/build-engine.ts";
import type { EngineRecords } from "./effects/builds/engine-records.ts";
import { stagesOf } from "./effects/builds/stages.ts";
import { isProgram } from "./effects/program.ts";
import { holdsStill, observeDisk } from "./effects/slots.ts";
import { checkFree } from "./effects/space.ts";
import type { Tools } from "./ports.ts";

type Buildable = Candidate & { build: BuildOrder };

export function buildPerformers(tools: Tools, engines: EngineRecords): Pick<Performers, "ask-build" | "build"> {
  const { directory, builds, documents, prints, space } = tools;
  const refused = (mishap: Mishap) => ({ ok: false, mishap }) as const;
  /** What a rollback goes back to is usually here, whole, and for this TensorRT. */
  const fromBefore = async (candidate: Candidate, signal: AbortSignal): Promise<BuiltFile | null> => {
    const found = await engines.find(candidate, signal);
    if (!found) return null;
    const { digest, sizeBytes, built } = found.entry;
    return { file: found.file, digest, sizeBytes, built };
  };

  return {
    async "ask-build"({ candidate, source }, signal) {
      if (!isBuildable(candidate)) return refused(unproved(candidate, NO_RECIPE));
      const before = await fromBefore(candidate, signal);
      if (before) return { ok: true, answer: "built", ...before };
      if (!(await isProgram(builds.program))) return refused(toolMissing(builds.program));
      if (!(await holdsStill(tools, source, candidate.digest))) return refused(damagedFile(source, "passing"));
      const full = await roomFor(tools, engines, candidate);
      if (full) return refused(full);
      if (builds.isAnyTime) return { ok: true, answer: "go" };
      return { ok: true, ...(await tools.askLeave(candidate, "build", signal)) };
    },

    async build({ candidate, source }, signal) {
      if (!isBuildable(candidate)) return refused(unproved(candidate, NO_RECIPE));
      // The agent may have died between the engine's name and the journal.
      const before = await fromBefore(candidate, signal);
      if (before) return { ok: true, ...before };
      if (!(await holdsStill(tools, source, candidate.digest))) return refused(damagedFile(source, "passing"));
      const disk = await observeDisk(directory, {}, prints);
      const held = [disk.current, disk.backup].flatMap((slot) => ("file" in slot ? [slot.file] : []));
      const last = engines.last(candidate.build);
      const stages = stagesOf(candidate.build, last?.built.tookMs ?? null, () => tools.building(stages));
      tools.building(stages);
      try {
        return await buildEngine({
          directory,
          engines,
          ownDir: space.ownDir,
          program: builds.program,
          reserveBytes: space.reserveBytes,
          candidate,
          onnx: directory.file(source),
          held,
          now: () => documents.now(),
          stages,
          signal,
        });
      } finally {
        tools.building(null);
      }
    },
  };
}

/** The last engine of this recipe says how large one gets; before there is one, it is taken to be as large as its file. */
async function roomFor(
  { directory, space }: Tools,
  engines: EngineRecords,
  candidate: Buildable,
): Promise<Mishap | null> {
  const sizeBytes = engines.last(candidate.build)?.sizeBytes ?? candidate.sizeBytes;
  const { reserveBytes, budgetBytes } = space;
  const publishedBytes = await space.published();
  if (budgetBytes !== null && publishedBytes + sizeBytes > budgetBytes) {
    return overBudget({ version: `the engine of ${candidate.version}`, sizeBytes }, publishedBytes, budgetBytes);
  }
  return checkFree(directory.path, sizeBytes + reserveBytes);
}

const NO_RECIPE = "it has no build recipe";

function isBuildable(candidate: Candidate): candidate is Buildable {
  return candidate.build !== undefined;
}
