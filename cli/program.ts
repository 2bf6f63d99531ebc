// The whole command line: every command, its help, and one way of speaking about wrong use.
import { Command } from "commander";
import packageJson from "./package.json" with { type: "json" };
import { addAudit } from "./commands/audit.ts";
import { addDeploy, addPilot } from "./commands/deploy.ts";
import { addDeployments } from "./commands/deployments.ts";
import { addDevices } from "./commands/devices.ts";
import { addLogin } from "./commands/login.ts";
import { addPublish } from "./commands/publish.ts";
import { addQuarantines } from "./commands/quarantines.ts";
import { addRollback } from "./commands/rollback.ts";
import { addStatus } from "./commands/status.ts";
import { addTokens } from "./commands/tokens.ts";
import { addUsers } from "./commands/users.ts";
import { addVersions } from "./commands/versions.ts";
import { addCompletion } from "./completion/scripts.ts";
import type { World } from "./desk.ts";
import { EXIT_HELP } from "./exits.ts";

export function buildProgram(world: World): Command {
  const { stdout } = world.streams;
  const program = new Command("context-edge")
    .description("Roll models out to a fleet of edge devices: publish, approve, deploy, watch, roll back.")
    .version(packageJson.version, "-V, --version", "the version of this command line")
    .helpOption("-h, --help", "what there is and how to use it")
    // Before a command `--version` asks for this program's, after it for a model's.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Told in one place, with the exit code.
      writeErr: () => undefined,
    })
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      `
Settings:
  CONTEXT_EDGE_URL               the hub, outranks the newest login
  CONTEXT_EDGE_TOKEN             the API token, outranks what login remembered
  CONTEXT_EDGE_RELEASE_KEY_FILE  the release key that publish signs with
  NO_COLOR                       no colours

${EXIT_HELP}`,
    );
  addLogin(program, world);
  addStatus(program, world);
  addDevices(program, world);
  addVersions(program, world);
  addPublish(program, world);
  addPilot(program, world);
  addDeploy(program, world);
  addRollback(program, world);
  addDeployments(program, world);
  addQuarantines(program, world);
  addAudit(program, world);
  addTokens(program, world);
  addUsers(program, world);
  addCompletion(program, world);
  return program;
}
