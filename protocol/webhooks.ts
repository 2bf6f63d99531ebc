// Webhooks: what people may subscribe to, and how a hook and its deliveries look to them.
import { z } from "zod";
import { Timestamp } from "./names.ts";

export const WebhookKind = z.enum([
  "version.registered",
  "gate.passed",
  "gate.failed",
  "device.rolled-back",
  "deployment.halted",
  "device.offline",
  "quarantine.added",
  "test",
]);
/** What can be told. `test` always reaches the hook that is tested, whatever it subscribed to. */
export type WebhookKind = z.infer<typeof WebhookKind>;

export const WebhookFormat = z.enum(["json", "slack"]);
/** `json`: a signed document for programs. `slack`: `{text, blocks}` for Slack and whatever takes its incoming webhooks. */
export type WebhookFormat = z.infer<typeof WebhookFormat>;

export const Webhook = z.object({
  id: z.string(),
  url: z.string(),
  format: WebhookFormat,
  /** Empty: everything. */
  kinds: z.array(WebhookKind),
  enabled: z.boolean(),
  /** Null: the hub's own limit. */
  offline_after_seconds: z.number().int().nullable(),
  created_by: z.string(),
  created_at: Timestamp,
  pending: z.number().int(),
  given_up: z.number().int(),
});
export type Webhook = z.infer<typeof Webhook>;

/** The secret is shown in this answer only. */
export const CreatedWebhook = Webhook.extend({ secret: z.string() });

const wishes = {
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  format: WebhookFormat,
  kinds: z.array(WebhookKind).max(20),
  enabled: z.boolean(),
  offline_after_seconds: z
    .number()
    .int()
    .min(60)
    .max(90 * 86_400)
    .nullable(),
};
export const CreateWebhookRequest = z.object({
  ...wishes,
  format: wishes.format.default("json"),
  kinds: wishes.kinds.default([]),
  enabled: wishes.enabled.default(true),
  offline_after_seconds: wishes.offline_after_seconds.default(null),
});
export type CreateWebhookRequest = z.infer<typeof CreateWebhookRequest>;
export const PatchWebhookRequest = z.object(wishes).partial();
export type PatchWebhookRequest = z.infer<typeof PatchWebhookRequest>;

export const DeliveryState = z.enum(["pending", "delivered", "given-up"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

export const WebhookDelivery = z.object({
  number: z.number().int(),
  /** The header `webhook-id`: the same at every try, so that receivers can tell a repetition. */
  message_id: z.string(),
  kind: WebhookKind,
  state: DeliveryState,
  tries: z.number().int(),
  created_at: Timestamp,
  next_at: Timestamp.nullable(),
  last_at: Timestamp.nullable(),
  last_status: z.number().int().nullable(),
  last_error: z.string().nullable(),
});
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;
