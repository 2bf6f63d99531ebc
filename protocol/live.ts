// Server-sent events of `/api/v1/events`: whole resources as they change, and the durable history with ids to resume from.
import { z } from "zod";
import { Device, Event, Group, Version } from "./api.ts";
import { Deployment } from "./deployment.ts";

/**
 * `event` carries an SSE id and is replayed after `Last-Event-ID`; the others are the newest state of one resource and
 * are fetched anew after a gap. `reset` says: too much was missed, fetch everything.
 */
export const LiveMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("event"), event: Event }),
  z.object({ type: z.literal("device"), device: Device }),
  z.object({ type: z.literal("group"), group: Group }),
  z.object({ type: z.literal("version"), version: Version }),
  z.object({ type: z.literal("deployment"), deployment: Deployment }),
  z.object({ type: z.literal("reset") }),
]);
export type LiveMessage = z.infer<typeof LiveMessage>;
