// From the history to what people are told: which events are worth a webhook, and in which words. Pure, so that a table can test it.
import { WebhookKind, type Event, type WebhookFormat } from "@context-edge/protocol";

export interface Announcement {
  kind: WebhookKind;
  /** A sentence that stands by itself. */
  text: string;
  subject: string;
  /** Of the dashboard. */
  path: string;
  at: string;
  data: Record<string, unknown>;
}

/** The actor that halts by itself; a pause by a person is no news to those people. */
const CONDUCTOR = "conductor";

const KINDS: Record<string, (event: Event) => WebhookKind[]> = {
  "version.registered": () => ["version.registered"],
  "deployment.paused": (event) => haltOf(event),
  "deployment.rolling-back": (event) => haltOf(event),
  "device.rolled-back": () => ["device.rolled-back"],
};

/** @returns what to tell of this event; nothing for most. An event that is named like a webhook's kind is told as that. */
export function announcementsOf(event: Event): Announcement[] {
  const named = WebhookKind.safeParse(event.kind);
  const kinds = KINDS[event.kind]?.(event) ?? (named.success ? [named.data] : []);
  return kinds.map((kind) => ({
    kind,
    text: `${TITLE[kind]}. ${event.summary}`,
    subject: event.subject,
    path: pathOf(kind, event),
    at: event.at,
    data: event.data,
  }));
}

const TITLE: Record<WebhookKind, string> = {
  "version.registered": "A new version waits for review",
  "gate.passed": "The gate has passed",
  "gate.failed": "The gate has failed",
  "device.rolled-back": "A device rolled back",
  "deployment.halted": "A deployment has halted",
  "device.offline": "A device is offline",
  "quarantine.added": "A file is quarantined",
  test: "This is a test",
};

const haltOf = ({ actor }: Event): WebhookKind[] => (actor === CONDUCTOR ? ["deployment.halted"] : []);

function pathOf(kind: WebhookKind, { subject, data }: Event): string {
  const enc = encodeURIComponent;
  if (kind === "test") return "/";
  if (kind === "device.offline" && Array.isArray(data["device_ids"])) return "/devices";
  if (kind.startsWith("device.")) return `/devices/${enc(subject)}`;
  const deployment = data["deployment_id"];
  return typeof deployment === "string" ? `/deployments/${enc(deployment)}` : "/models";
}

export interface Hook {
  kinds: readonly WebhookKind[];
  enabled: boolean;
  offline_after_seconds: number | null;
  created_at: string;
}

/** @param offlineAfterSeconds the hub's own limit, for hooks without one. */
export function wants(hook: Hook, told: Announcement, offlineAfterSeconds: number): boolean {
  // A test is put to one hook; it is no news for the others.
  if (!hook.enabled || told.kind === "test" || told.at < hook.created_at) return false;
  if (hook.kinds.length > 0 && !hook.kinds.includes(told.kind)) return false;
  const limit = told.data["limit_seconds"];
  return told.kind !== "device.offline" || limit === (hook.offline_after_seconds ?? offlineAfterSeconds);
}

/** @param link where the dashboard shows it; null when the hub does not know its public address. */
export function bodyOf(format: WebhookFormat, told: Announcement, link: string | null): object {
  return format === "slack" ? slackBody(told, link) : jsonBody(told, link);
}

/** Standard Webhooks: `type`, `timestamp`, `data`. */
function jsonBody({ kind, at, text, subject, data }: Announcement, link: string | null): object {
  return { type: kind, timestamp: at, data: { text, subject, link, ...data } };
}

function slackBody({ text, kind, at }: Announcement, link: string | null): object {
  const safe = escapeSlack(text);
  const button = { type: "button", text: { type: "plain_text", text: "Open the dashboard" }, url: link };
  return {
    text: link === null ? safe : `${safe} <${link}>`,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: cut(safe) } },
      { type: "context", elements: [{ type: "plain_text", text: `${kind} · ${at}` }] },
      ...(link === null ? [] : [{ type: "actions", elements: [button] }]),
    ],
  };
}

/** Slack reads `<…>` as links and mentions: what a device says must not call everybody. */
const escapeSlack = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** Slack refuses a section above 3,000 characters. */
const cut = (text: string) => (text.length > 2_900 ? `${text.slice(0, 2_900)}…` : text);
