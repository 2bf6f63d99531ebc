// What may be ordered over HTTP, as forms and as JSON; parsed once, before anything is done.
import { Digest, ModelName } from "@context-edge/protocol";
import { z } from "zod";

/** Hours a person may hold the device for from the page. */
export const HOLD_HOURS = [1, 4, 8, 24, 72] as const;

const pin = z.string().max(64).default("");

export const ORDERS = {
  check: z.object({ pin }),
  hold: z.object({
    pin,
    hours: z.coerce
      .number()
      .refine((hours) => HOLD_HOURS.some((one) => one === hours), `hours must be one of ${HOLD_HOURS.join(", ")}`),
    reason: z.string().trim().max(500).default(""),
  }),
  release: z.object({ pin }),
  rollback: z.object({
    pin,
    model: ModelName.default("default"),
    /** What the person saw when confirming; when the slots have changed since, nothing is done. */
    from: Digest.optional(),
    to: Digest.optional(),
  }),
};
export type OrderName = keyof typeof ORDERS;
export type OrderOf<N extends OrderName> = z.infer<(typeof ORDERS)[N]>;
