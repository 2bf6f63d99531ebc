// Cookies: the session's and the short-lived one of a sign-in elsewhere. No script reads them, and no other site sends them along.
import type { FastifyReply, FastifyRequest } from "fastify";

const SESSION = "context_edge_session";
const OIDC = "context_edge_oidc";

/** `__Host-` keeps another host of the domain, and plain http, from planting one. It needs https. */
const nameOf = (request: FastifyRequest, plain: string) => (request.protocol === "https" ? `__Host-${plain}` : plain);

export function sessionCookie(request: FastifyRequest): string | undefined {
  return request.cookies[nameOf(request, SESSION)];
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, secret: string, seconds: number): void {
  reply.setCookie(nameOf(request, SESSION), secret, {
    httpOnly: true,
    sameSite: "strict",
    path: "/",
    maxAge: seconds,
    secure: request.protocol === "https",
  });
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameOf(request, SESSION), { path: "/", secure: request.protocol === "https" });
}

export function oidcCookie(request: FastifyRequest): string | undefined {
  return request.cookies[nameOf(request, OIDC)];
}

/** Lax, because the way back from the other site must bring it. */
export function setOidcCookie(request: FastifyRequest, reply: FastifyReply, value: string, seconds: number): void {
  reply.setCookie(nameOf(request, OIDC), value, {
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    maxAge: seconds,
    secure: request.protocol === "https",
  });
}

export function clearOidcCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameOf(request, OIDC), { path: "/", secure: request.protocol === "https" });
}
