// `devices decommission` and `devices readmit`: which devices belong to the fleet.
import type { Command } from "commander";
import { DecommissionRequest } from "@context-edge/protocol";
import { z } from "zod";
import { act, examples, type World } from "../desk.ts";

const Reply = z.looseObject({ message: z.string() });

export function addAdmission(devices: Command, world: World): void {
  const leave = devices
    .command("decommission")
    .argument("<device>", "the device")
    .description("make a device's credential void: it gets no more orders, and leaves the lists")
    .requiredOption("-r, --reason <text>", "why; kept in the history");
  act(leave, world, DecommissionRequest, async ({ hub, out }, { reason }, [id = ""]) => {
    const path = `api/v1/devices/${encodeURIComponent(id)}/decommission`;
    const reply = await hub().send(Reply, "POST", path, { reason });
    out.result(reply, [reply.message]);
  });
  examples(leave, 'context-edge devices decommission press-7 --reason "scrapped"');

  const back = devices
    .command("readmit")
    .argument("<device>", "the device")
    .description("let a decommissioned device enrol again, with a join token");
  act(back, world, z.object({}), async ({ hub, out }, _options, [id = ""]) => {
    const reply = await hub().send(Reply, "POST", `api/v1/devices/${encodeURIComponent(id)}/readmit`);
    out.result(reply, [reply.message]);
  });
  examples(back, "context-edge devices readmit press-7");
}
