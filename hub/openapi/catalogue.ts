// What the API's documentation says of each route, in one line each. A route without a line fails a test.

export type Tag =
  | "training and review"
  | "deployments"
  | "fleet"
  | "history"
  | "webhooks"
  | "people"
  | "devices' door"
  | "service";

const training = (summary: string): Line => ({ tag: "training and review", summary });
const deployments = (summary: string): Line => ({ tag: "deployments", summary });
const fleet = (summary: string): Line => ({ tag: "fleet", summary });
const history = (summary: string): Line => ({ tag: "history", summary });
const webhooks = (summary: string): Line => ({ tag: "webhooks", summary });
const people = (summary: string): Line => ({ tag: "people", summary });
const door = (summary: string): Line => ({ tag: "devices' door", summary });
const service = (summary: string): Line => ({ tag: "service", summary });

export interface Line {
  tag: Tag;
  summary: string;
}

export const CATALOGUE: Readonly<Partial<Record<string, Line>>> = {
  "POST /mlops/models/register": training("Register a version of a model for review"),
  "GET /mlops/models/pending": training("Versions that wait for review"),
  "POST /mlops/models/:version/approve": training("Approve a pending version"),
  "POST /mlops/models/:version/reject": training("Reject a pending version, with a reason"),
  "POST /mlops/models/:version/deploy-pilot": training("Put a version on the pilot group, which becomes these devices"),
  "POST /mlops/models/:version/deploy-all": training("Put a version on every group, once its gate has passed"),
  "POST /mlops/models/:version/rollback": training("Put every group that follows this version on another one"),
  "GET /mlops/deployment/:version/metrics": training("How the pilot fares, and what its gate still misses"),
  "POST /mlops/deployment/:version/outcomes": training("Labelled truth about predictions; each counts once"),
  "HEAD /mlops/artifacts/:digest": training("Is this file here, or how much of it"),
  "GET /mlops/artifacts/:digest": training("A registered version's file; Range and If-Range"),
  "PUT /mlops/artifacts/:digest": training("Upload a model file under its sha256; resumable"),
  "GET /api/v1/models/:model/versions": training("Versions of a model, newest first"),
  "GET /api/v1/models/:model/versions/:version": training("One version"),
  "POST /api/v1/models/:model/versions/:version/archive": training(
    "Archive a version that nobody needs; its files may be removed",
  ),
  "POST /api/v1/models/:model/versions/:version/unarchive": training("Have an archived version reviewed again"),
  "GET /api/v1/quarantines": training("Files that no device may install"),
  "POST /api/v1/quarantines": training("Quarantine a version's files for the whole fleet"),
  "POST /api/v1/quarantines/:digest/lift": training("Lift a quarantine, with a reason"),

  "GET /api/v1/deployments": deployments("Deployments, newest first"),
  "GET /api/v1/deployments/:id": deployments("One deployment with its progress and its gate"),
  "POST /api/v1/deployments": deployments("Create a deployment with a plan"),
  "POST /api/v1/deployments/preview": deployments("What a deployment would do; nothing is changed"),
  "POST /api/v1/deployments/:id/start": deployments("Start a draft, or a scheduled deployment before its time"),
  "POST /api/v1/deployments/:id/pause": deployments("Pause: whoever has not begun waits"),
  "POST /api/v1/deployments/:id/resume": deployments("Resume, and accept what has failed so far"),
  "POST /api/v1/deployments/:id/promote": deployments("Go on to the next step"),
  "POST /api/v1/deployments/:id/abort": deployments("Stop here for good"),
  "POST /api/v1/deployments/:id/rollback": deployments("Restore what each group ran before"),
  "POST /api/v1/deployments/:id/retry": deployments("Have the failed devices try again"),

  "GET /api/v1/groups": fleet("Groups with their targets and devices"),
  "GET /api/v1/groups/:group": fleet("One group"),
  "POST /api/v1/groups": fleet("Create a group"),
  "DELETE /api/v1/groups/:group": fleet("Delete an empty group with its targets"),
  "PUT /api/v1/groups/:group/target": fleet("Set a group's target: a deployment to this one group"),
  "GET /api/v1/devices": fleet("Devices: filtered, sorted, paged"),
  "GET /api/v1/devices/:id": fleet("One device"),
  "PATCH /api/v1/devices/:id": fleet("Move a device to another group, or hold it as it is"),
  "GET /api/v1/devices/:id/outcomes": fleet("How a device's attempts ended, newest first"),
  "PUT /api/v1/devices/:id/pin": fleet("Pin a device to a version of its own"),
  "DELETE /api/v1/devices/:id/pin": fleet("Let a pinned device go back to its group"),
  "POST /api/v1/devices/:id/decommission": fleet("Take a device out of the fleet"),
  "GET /api/v1/trust": people("Whose signatures count: public keys of hub and releases"),
  "POST /api/v1/devices/:id/readmit": fleet("Let a device enrol again"),
  "GET /api/v1/cluster": fleet("The cluster's nodes, their agents and devices, and what is wrong"),
  "GET /api/v1/series": fleet("Figures over time"),
  "GET /api/v1/series/labels": fleet("Labelled truth over time"),

  "GET /api/v1/audit": history("The history, newest first"),
  "GET /api/v1/events": history("Everything live, as server-sent events; resumes by Last-Event-ID"),

  "GET /api/v1/webhooks": webhooks("Webhooks"),
  "POST /api/v1/webhooks": webhooks("Create a webhook; its secret is in this answer only"),
  "GET /api/v1/webhooks/:id": webhooks("One webhook"),
  "PATCH /api/v1/webhooks/:id": webhooks("Change a webhook"),
  "DELETE /api/v1/webhooks/:id": webhooks("Remove a webhook and what it has not delivered"),
  "POST /api/v1/webhooks/:id/test": webhooks("Deliver a test"),
  "GET /api/v1/webhooks/:id/deliveries": webhooks("What was delivered, what waits, what was given up"),
  "POST /api/v1/webhooks/:id/deliveries/:number/retry": webhooks("Try a delivery again now"),

  "GET /api/v1/session": people("Who am I to this hub"),
  "POST /api/v1/session": people("Sign in"),
  "DELETE /api/v1/session": people("Sign out"),
  "POST /api/v1/session/password": people("Change one's own password"),
  "GET /api/v1/session/sessions": people("Where one is signed in, newest first"),
  "DELETE /api/v1/session/sessions": people("End one's own sessions but this one"),
  "DELETE /api/v1/session/sessions/:id": people("End one of one's own sessions"),
  "GET /api/v1/session/oidc": people("Begin to sign in at the organisation's provider"),
  "GET /api/v1/session/oidc/callback": people("Come back from the organisation's provider"),
  "POST /api/v1/setup": people("First set-up, or a new password, by a one-time link"),
  "GET /api/v1/users": people("Accounts"),
  "POST /api/v1/users": people("Create an account"),
  "PATCH /api/v1/users/:id": people("Change an account's role, or disable it"),
  "POST /api/v1/users/:id/reset": people("Give an account a new first password"),
  "GET /api/v1/tokens": people("API tokens, without their secrets"),
  "POST /api/v1/tokens": people("Create an API token; it is in this answer only"),
  "DELETE /api/v1/tokens/:id": people("Revoke an API token"),
  "GET /api/v1/join-tokens": people("Tokens that admit devices"),
  "POST /api/v1/join-tokens": people("Create a token that admits devices; it is in this answer only"),
  "DELETE /api/v1/join-tokens/:id": people("Revoke a token that admits devices"),

  "POST /device/v1/enroll": door("Enrol once with a join token"),
  "GET /device/v1/manifest": door("The signed manifest of the device's group; Prefer: wait=N holds the request"),
  "GET /device/v1/assignment": door("The signed assignment of this device"),
  "POST /device/v1/reports": door("What the device runs and how attempts ended; each number counts once"),
  "GET /device/v1/artifacts/:digest": door("A model file; Range and If-Range"),

  "GET /healthz": service("Is the process alive"),
  "GET /readyz": service("Can this hub do its work, with each check"),
  "GET /metrics": service("Figures for Prometheus"),
};
