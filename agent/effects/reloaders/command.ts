// Reloads by running a program the operator configured. What it is about stands in its environment, never in its arguments.
import { runCommand } from "../run-command.ts";
import { reloadFailed, type Reloader } from "./reloader.ts";

export function commandReloader(argv: readonly string[]): Reloader {
  return {
    takes: "at-once",
    async reload({ model, file, link, budgetMs }, signal) {
      const environment = {
        CONTEXT_EDGE_MODEL: model,
        CONTEXT_EDGE_LINK: link,
        CONTEXT_EDGE_FILE: file?.file ?? "",
        CONTEXT_EDGE_VERSION: file?.version ?? "",
        CONTEXT_EDGE_DIGEST: file?.digest ?? "",
      };
      const end = await runCommand(argv, { deadlineMs: budgetMs, environment, signal });
      signal.throwIfAborted();
      if (end.exitCode === 0) return { ok: true };
      const how =
        end.exitCode === null ? "was not finished in time or could not be started" : `ended with ${end.exitCode}`;
      return reloadFailed(`the reload command ${how}`, end.stderr || end.stdout);
    },
  };
}
