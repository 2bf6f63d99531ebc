// Calls for the settings page: people, tokens, joining devices, webhooks, trust and the cluster.
import {
  ApiToken,
  BrowserSession,
  ClusterView,
  CreatedJoinToken,
  CreatedToken,
  CreatedWebhook,
  type CreateJoinTokenRequest,
  type CreateTokenRequest,
  type CreateUserRequest,
  type CreateWebhookRequest,
  EndedSessions,
  JoinToken,
  type PatchUserRequest,
  type PatchWebhookRequest,
  Trust,
  User,
  UserWithLink,
  Webhook,
  WebhookDelivery,
} from "@context-edge/protocol";
import { z } from "zod";
import { enc, type Line } from "./line.ts";

const Anything = z.unknown();

export function settingsOf({ call, list }: Line) {
  return {
    users: () => list(User, "/api/v1/users"),
    createUser: (user: z.input<typeof CreateUserRequest>) => call(UserWithLink, "POST", "/api/v1/users", user),
    changeUser: (id: string, change: z.input<typeof PatchUserRequest>) =>
      call(User, "PATCH", `/api/v1/users/${enc(id)}`, change),
    resetUser: (id: string) => call(UserWithLink, "POST", `/api/v1/users/${enc(id)}/reset`, {}),
    changePassword: (current: string, password: string) =>
      call(Anything, "POST", "/api/v1/session/password", { current, password }),

    sessions: () => list(BrowserSession, "/api/v1/session/sessions"),
    endSession: (id: string) => call(Anything, "DELETE", `/api/v1/session/sessions/${enc(id)}`),
    endOtherSessions: () => call(EndedSessions, "DELETE", "/api/v1/session/sessions"),

    cluster: () => call(ClusterView, "GET", "/api/v1/cluster"),
    trust: () => call(Trust, "GET", "/api/v1/trust"),

    tokens: () => list(ApiToken, "/api/v1/tokens"),
    createToken: (token: z.input<typeof CreateTokenRequest>) => call(CreatedToken, "POST", "/api/v1/tokens", token),
    revokeToken: (id: string) => call(Anything, "DELETE", `/api/v1/tokens/${enc(id)}`),

    joinTokens: () => list(JoinToken, "/api/v1/join-tokens"),
    createJoinToken: (token: z.input<typeof CreateJoinTokenRequest>) =>
      call(CreatedJoinToken, "POST", "/api/v1/join-tokens", token),
    revokeJoinToken: (id: string) => call(Anything, "DELETE", `/api/v1/join-tokens/${enc(id)}`),

    webhooks: () => list(Webhook, "/api/v1/webhooks"),
    createWebhook: (hook: z.input<typeof CreateWebhookRequest>) =>
      call(CreatedWebhook, "POST", "/api/v1/webhooks", hook),
    changeWebhook: (id: string, change: z.input<typeof PatchWebhookRequest>) =>
      call(Webhook, "PATCH", `/api/v1/webhooks/${enc(id)}`, change),
    deleteWebhook: (id: string) => call(Anything, "DELETE", `/api/v1/webhooks/${enc(id)}`),
    testWebhook: (id: string) => call(Anything, "POST", `/api/v1/webhooks/${enc(id)}/test`, {}),
    deliveries: (id: string) => list(WebhookDelivery, `/api/v1/webhooks/${enc(id)}/deliveries`),
  };
}
