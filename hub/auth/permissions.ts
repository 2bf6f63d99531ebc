// Who may call what: the one table. A route that is missing here is for admins only, and a test fails until it is added.
import type { Role, TokenScope } from "@context-edge/protocol";

/** `anyone`: no sign-in. `device`: the devices' own door, which people's credentials do not open. */
export type Least = "anyone" | "device" | Role;

export interface Access {
  least: Least;
  /** Open to `publisher` tokens as well, which are below every role. */
  publisher: boolean;
}

const anyone: Access = { least: "anyone", publisher: true };
const device: Access = { least: "device", publisher: false };
const viewer: Access = { least: "viewer", publisher: false };
const engineer: Access = { least: "engineer", publisher: false };
const admin: Access = { least: "admin", publisher: false };
const viewerOrPublisher: Access = { least: "viewer", publisher: true };
const engineerOrPublisher: Access = { least: "engineer", publisher: true };

/** By method and route pattern. HEAD is as GET unless it has a line of its own. */
export const PERMISSIONS: Readonly<Record<string, Access>> = {
  // Signing in and out, and what supervisors ask.
  "GET /api/v1/session": anyone,
  "POST /api/v1/session": anyone,
  "DELETE /api/v1/session": anyone,
  "POST /api/v1/session/password": viewer,
  "GET /api/v1/session/sessions": viewer,
  "DELETE /api/v1/session/sessions": viewer,
  "DELETE /api/v1/session/sessions/:id": viewer,
  "GET /api/v1/session/oidc": anyone,
  "GET /api/v1/session/oidc/callback": anyone,
  "POST /api/v1/setup": anyone,
  "GET /healthz": anyone,
  "GET /readyz": anyone,

  // Looking.
  "GET /api/v1/audit": viewer,
  "GET /api/v1/cluster": viewer,
  "GET /api/v1/deployments": viewer,
  "GET /api/v1/deployments/:id": viewer,
  // Writes nothing: it answers a question that is too long for an address.
  "POST /api/v1/deployments/preview": viewer,
  "GET /api/v1/devices": viewer,
  "GET /api/v1/devices/:id": viewer,
  "GET /api/v1/devices/:id/outcomes": viewer,
  "GET /api/v1/events": viewer,
  "GET /api/v1/groups": viewer,
  "GET /api/v1/groups/:group": viewer,
  "GET /api/v1/quarantines": viewer,
  "GET /api/v1/series": viewer,
  "GET /api/v1/series/labels": viewer,
  "GET /api/v1/trust": viewer,
  "GET /mlops/deployment/:version/metrics": viewer,
  "GET /metrics": viewer,

  // Training: hands in files, versions and labelled truth, and sees what became of them.
  "GET /api/v1/models/:model/versions": viewerOrPublisher,
  "GET /api/v1/models/:model/versions/:version": viewerOrPublisher,
  "GET /mlops/models/pending": viewerOrPublisher,
  "HEAD /mlops/artifacts/:digest": viewerOrPublisher,
  // The files are the work itself: who only looks needs their figures, not their bytes.
  "GET /mlops/artifacts/:digest": engineerOrPublisher,
  "PUT /mlops/artifacts/:digest": engineerOrPublisher,
  "POST /mlops/models/register": engineerOrPublisher,
  "POST /mlops/deployment/:version/outcomes": engineerOrPublisher,

  // Reviewing, deploying, steering, moving, holding.
  "POST /mlops/models/:version/approve": engineer,
  "POST /mlops/models/:version/reject": engineer,
  "POST /api/v1/models/:model/versions/:version/archive": engineer,
  "POST /api/v1/models/:model/versions/:version/unarchive": engineer,
  "POST /mlops/models/:version/deploy-pilot": engineer,
  "POST /mlops/models/:version/deploy-all": engineer,
  "POST /mlops/models/:version/rollback": engineer,
  "POST /api/v1/deployments": engineer,
  "POST /api/v1/deployments/:id/start": engineer,
  "POST /api/v1/deployments/:id/pause": engineer,
  "POST /api/v1/deployments/:id/resume": engineer,
  "POST /api/v1/deployments/:id/promote": engineer,
  "POST /api/v1/deployments/:id/retry": engineer,
  "POST /api/v1/deployments/:id/abort": engineer,
  "POST /api/v1/deployments/:id/rollback": engineer,
  "PATCH /api/v1/devices/:id": engineer,
  "PUT /api/v1/devices/:id/pin": engineer,
  "DELETE /api/v1/devices/:id/pin": engineer,
  "POST /api/v1/groups": engineer,
  "DELETE /api/v1/groups/:group": engineer,
  "PUT /api/v1/groups/:group/target": engineer,

  "POST /api/v1/quarantines": engineer,

  // What must not be undone lightly.
  "POST /api/v1/quarantines/:digest/lift": admin,

  // Who is told, and where to.
  "GET /api/v1/webhooks": admin,
  "POST /api/v1/webhooks": admin,
  "GET /api/v1/webhooks/:id": admin,
  "PATCH /api/v1/webhooks/:id": admin,
  "DELETE /api/v1/webhooks/:id": admin,
  "POST /api/v1/webhooks/:id/test": admin,
  "GET /api/v1/webhooks/:id/deliveries": admin,
  "POST /api/v1/webhooks/:id/deliveries/:number/retry": admin,

  // Who is let in.
  "POST /api/v1/devices/:id/decommission": admin,
  "POST /api/v1/devices/:id/readmit": admin,
  "GET /api/v1/users": admin,
  "POST /api/v1/users": admin,
  "PATCH /api/v1/users/:id": admin,
  "POST /api/v1/users/:id/reset": admin,
  "GET /api/v1/tokens": admin,
  "POST /api/v1/tokens": admin,
  "DELETE /api/v1/tokens/:id": admin,
  "GET /api/v1/join-tokens": admin,
  "POST /api/v1/join-tokens": admin,
  "DELETE /api/v1/join-tokens/:id": admin,

  // Devices, each by its own credential; the join token is in the body.
  "POST /device/v1/enroll": device,
  "GET /device/v1/manifest": device,
  "GET /device/v1/assignment": device,
  "POST /device/v1/reports": device,
  "GET /device/v1/artifacts/:digest": device,
};

/** The dashboard's own files: they show nothing until the API answers. */
const PAGES = /^\/(index\.html|favicon\.svg|admin\/models|activity|assets\/.+)?$/;
const DOCS = /^\/api\/docs(\/|$)/;
const RANK: Record<Role, number> = { viewer: 1, engineer: 2, admin: 3 };

/** @param pattern the route's own, not the address that was asked for. @returns null where no line covers it. */
export function accessOf(method: string, pattern: string): Access | null {
  const line = PERMISSIONS[`${method} ${pattern}`];
  if (line) return line;
  if (method === "HEAD") return accessOf("GET", pattern);
  if (method !== "GET") return null;
  if (DOCS.test(pattern)) return viewer;
  return PAGES.test(pattern) ? anyone : null;
}

export function mayCall(scope: TokenScope, { least, publisher }: Access): boolean {
  if (least === "anyone") return true;
  if (least === "device") return false;
  return scope === "publisher" ? publisher : RANK[scope] >= RANK[least];
}

/** What a route without a line gets: nobody but admins. */
export const UNLISTED: Access = admin;
