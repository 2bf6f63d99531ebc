// Making, changing and testing webhooks. Every change is in the history, never with the secret.
import { randomBytes } from "node:crypto";
import type { CreateWebhookRequest, PatchWebhookRequest, Webhook, WebhookDelivery } from "@context-edge/protocol";
import { announcementsOf } from "../core/announcements.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import type { Repositories } from "../store/store.ts";
import type { DeliveryRecord, WebhookRecord } from "../store/webhooks.ts";
import { addressCheck, refuseUrl } from "./addresses.ts";
import { enqueue } from "./courier.ts";
import { newSecret } from "./post.ts";

export async function findHook(store: Repositories, id: string): Promise<WebhookRecord> {
  const hook = await store.webhooks.find(id);
  if (hook) return hook;
  throw new ProblemError("WEBHOOK_UNKNOWN", `There is no webhook ${id.slice(0, 100)}.`, {
    nextStep: "List them with GET /api/v1/webhooks.",
  });
}

export async function hookViews(store: Repositories, hooks: readonly WebhookRecord[]): Promise<Webhook[]> {
  const counts = await store.deliveries.counts();
  const count = (id: string, state: string) =>
    counts.find((one) => one.webhook_id === id && one.state === state)?.count ?? 0;
  return hooks.map(({ secret: _secret, ...shown }) => ({
    ...shown,
    pending: count(shown.id, "pending"),
    given_up: count(shown.id, "given-up"),
  }));
}

export function deliveryView(delivery: DeliveryRecord): WebhookDelivery {
  const { webhook_id: _hook, body: _body, aside: _aside, ...shown } = delivery;
  return shown;
}

export async function createHook(hub: Hub, actor: string, request: CreateWebhookRequest): Promise<WebhookRecord> {
  requireUrl(hub, request.url);
  const id = `wh_${randomBytes(8).toString("hex")}`;
  return hub.changes.make(actor, async ({ tx, at, tell }) => {
    const hook = { ...request, id, secret: newSecret(), created_by: actor, created_at: at };
    await tx.webhooks.put(hook);
    await tell("webhook.created", id, `${actor} created a webhook to ${hostOf(hook.url)}`, {
      host: hostOf(hook.url),
      kinds: hook.kinds,
      format: hook.format,
    });
    return hook;
  });
}

export async function changeHook(hub: Hub, actor: string, id: string, request: PatchWebhookRequest): Promise<void> {
  if (request.url !== undefined) requireUrl(hub, request.url);
  await hub.changes.make(actor, async ({ tx, tell }) => {
    const hook = await findHook(tx, id);
    const changed = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
    await tx.webhooks.put({ ...hook, ...changed });
    await tell("webhook.changed", id, `${actor} changed the webhook to ${hostOf(request.url ?? hook.url)}`, {
      changed: Object.keys(changed),
    });
  });
  hub.courier.wake();
}

export async function removeHook(hub: Hub, actor: string, id: string): Promise<void> {
  await hub.changes.make(actor, async ({ tx, tell }) => {
    const hook = await findHook(tx, id);
    await tx.webhooks.remove(id);
    await tell("webhook.removed", id, `${actor} removed the webhook to ${hostOf(hook.url)}`);
  });
}

/** Goes the way of every other delivery, so what arrives proves that way. */
export async function test(hub: Hub, actor: string, id: string): Promise<WebhookDelivery> {
  const delivery = await hub.changes.make(actor, async ({ tx, at, tell }) => {
    const hook = await findHook(tx, id);
    const summary = `${actor} tests the webhook to ${hostOf(hook.url)}`;
    await tell("webhook.tested", id, summary);
    const event = { id: 0, at, kind: "test", actor, subject: id, summary, data: {} };
    for (const told of announcementsOf(event)) {
      const eventId = randomBytes(8).toString("hex");
      await enqueue(tx, hook, told, { eventId, publicUrl: hub.config.publicUrl, at });
    }
    const [newest] = await tx.deliveries.list(id, 1);
    return newest;
  });
  hub.courier.wake();
  return deliveryView(required(delivery));
}

export async function retry(hub: Hub, actor: string, id: string, number: number): Promise<WebhookDelivery> {
  await findHook(hub.store, id);
  const delivery = await hub.changes.make(actor, async ({ tx, at, tell }) => {
    const found = await tx.deliveries.find(id, number);
    if (!found) {
      throw new ProblemError("DELIVERY_UNKNOWN", `Webhook ${id} has no delivery ${number}.`, {
        nextStep: "List them with GET /api/v1/webhooks/:id/deliveries.",
      });
    }
    // Aside of the line: what a person asks for now must not wait behind it, nor hold it up.
    await tx.deliveries.update(id, number, { state: "pending", aside: true, next_at: at });
    await tell("webhook.retried", id, `${actor} has delivery ${number} tried again`, {
      number,
      message: found.message_id,
    });
    return tx.deliveries.find(id, number);
  });
  hub.courier.wake();
  return deliveryView(required(delivery));
}

function requireUrl({ config }: Hub, url: string): void {
  const refusal = refuseUrl(url, addressCheck({ allowLoopback: config.webhooks.allowLoopback }));
  if (refusal === undefined) return;
  throw new ProblemError("WEBHOOK_URL_REFUSED", `This address is not one for a webhook: ${refusal}.`, {
    nextStep: "Use an http or https address that people or programs listen at.",
  });
}

/** Slack's addresses are secrets as a whole, so the history has only the host. */
const hostOf = (url: string) => URL.parse(url)?.host ?? "an address";

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the delivery is not there");
  return value;
}
