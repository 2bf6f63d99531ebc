// The hub's HTTP side, built apart from listening so that tests can inject requests.
import { existsSync } from "node:fs";
import { join } from "node:path";
import cookie from "@fastify/cookie";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { DEVICE_ROUTES, type ProblemCode } from "@context-edge/protocol";
import { watchBodies, type Pace } from "./auth/body-rules.ts";
import { guardPeople } from "./auth/people.ts";
import { answerProblems, badAddress, notFound } from "./auth/problems.ts";
import { addSecurityHeaders } from "./auth/security-headers.ts";
import { frontDoor } from "./front-door.ts";
import { followEnding } from "./drain.ts";
import type { Hub } from "./hub.ts";
import { addAdmissionRoutes } from "./routes/admission.ts";
import { countRequests } from "./observe/metrics.ts";
import { type PressureOptions, shedLoad } from "./observe/pressure.ts";
import { logRequests, requestIds } from "./observe/request-log.ts";
import { OPENAPI } from "./openapi/document.ts";
import { addClusterRoutes } from "./routes/cluster.ts";
import { addDeploymentRoutes } from "./routes/deployments.ts";
import { addDeviceSide } from "./routes/device-side.ts";
import { addDevicesRoutes } from "./routes/devices.ts";
import { addPinRoutes } from "./routes/pins.ts";
import { addTrustRoutes } from "./routes/trust.ts";
import { addEventRoutes } from "./routes/events.ts";
import { tagReads } from "./routes/etags.ts";
import { addGroupRoutes } from "./routes/groups.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { honourIdempotencyKeys } from "./routes/idempotency.ts";
import { addMlopsDeployRoutes } from "./routes/mlops-deploy.ts";
import { addMlopsModelRoutes } from "./routes/mlops-models.ts";
import { methodsOf, refuseOtherMethod } from "./routes/methods.ts";
import { addOidcRoutes } from "./routes/oidc.ts";
import { refuseUnknownParameters } from "./routes/parameters.ts";
import { addQuarantineRoutes } from "./routes/quarantines.ts";
import { addSeriesRoutes } from "./routes/series.ts";
import { addSessionRoutes } from "./routes/session.ts";
import { addSessionsRoutes } from "./routes/sessions.ts";
import { addSetupRoutes } from "./routes/setup.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addUploadRoutes } from "./routes/uploads.ts";
import { addUserRoutes } from "./routes/users.ts";
import { addVersionRoutes } from "./routes/versions.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";
import { noteArrivals } from "./target-memory.ts";
import { answerClientErrors } from "./unreadable.ts";

const JSON_LIMIT_BYTES = 1_048_576;

/** @param more for tests: a loop that is late cannot be had at will, and a slow upload would take long. */
export async function buildApp(hub: Hub, more: PressureOptions & { pace?: Pace } = {}): Promise<FastifyInstance> {
  const count = (code: ProblemCode) => hub.metrics.problem(code);
  const app = Fastify({
    // One line per request would halve the poll rate; what matters is told by events and metrics.
    logger: false,
    bodyLimit: JSON_LIMIT_BYTES,
    forceCloseConnections: true,
    serverFactory: frontDoor(hub.polls, undefined, { count, ending: hub.ending.signal }),
    clientErrorHandler: answerClientErrors(count),
    trustProxy: hub.config.trustedProxies.length > 0 ? [...hub.config.trustedProxies] : false,
    genReqId: requestIds(),
    frameworkErrors: (error, request, reply) => void badAddress(error, request, reply),
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app, hub.log, count);
  // Fastify's own; here nothing is plain text, and a body without a schema for it is none.
  app.removeContentTypeParser("text/plain");
  logRequests(app, hub.log);
  countRequests(app, hub.metrics);
  followEnding(app, hub.ending);
  addSecurityHeaders(app);
  await app.register(cookie);
  watchBodies(app, more.pace);
  noteArrivals(app, hub.targets);
  await shedLoad(app, hub, more);
  guardPeople(app, hub);
  await app.register(swagger, OPENAPI);
  await app.register(swaggerUi, { routePrefix: "/api/docs" });

  await app.register(async (scope) => {
    refuseUnknownParameters(scope);
    honourIdempotencyKeys(scope, hub);
    tagReads(scope);
    addSessionRoutes(scope, hub);
    addSessionsRoutes(scope, hub);
    addSetupRoutes(scope, hub);
    addOidcRoutes(scope, hub);
    addUserRoutes(scope, hub);
    addTokenRoutes(scope, hub);
    addAdmissionRoutes(scope, hub);
    addVersionRoutes(scope, hub);
    addGroupRoutes(scope, hub);
    addDevicesRoutes(scope, hub);
    addPinRoutes(scope, hub);
    addTrustRoutes(scope, hub);
    addClusterRoutes(scope, hub);
    addDeploymentRoutes(scope, hub);
    addQuarantineRoutes(scope, hub);
    addEventRoutes(scope, hub);
    addSeriesRoutes(scope, hub);
    addWebhookRoutes(scope, hub);
    addMlopsModelRoutes(scope, hub);
    addMlopsDeployRoutes(scope, hub);
    addUploadRoutes(scope, hub);
    addDeviceSide(scope, hub);
    addHealthRoutes(scope, hub);
  });
  await addDashboard(app, hub.config.dashboardDir);
  return app;
}

/** Paths that belong to machines: whatever is not a route there is a problem document, never the dashboard's page. */
const MACHINE_PATHS = ["/api", "/mlops", DEVICE_ROUTES.manifest.slice(0, "/device".length)];

async function addDashboard(app: FastifyInstance, dir: string): Promise<void> {
  for (const [former, now] of [
    ["/admin/models", "/models"],
    ["/activity", "/audit"],
  ] as const)
    app.get(former, { schema: { hide: true } }, (_request, reply) => reply.redirect(now));
  const isBuilt = existsSync(dir);
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: dir,
      wildcard: false,
      // The build has put them beside the files; they have no address of their own.
      preCompressed: true,
      globIgnore: ["**/*.br", "**/*.gz"],
      setHeaders(reply, path) {
        // Named by what is in them: another content is another address.
        if (path.startsWith(join(dir, "assets"))) reply.header("cache-control", "public, max-age=31536000, immutable");
      },
    });
  } else {
    app.get("/", { schema: { hide: true } }, (_request, reply) =>
      reply.type("text/plain").send("The dashboard is not built. Run `npm run build`, then start the hub again.\n"),
    );
  }
  let methodsAt: ((path: string) => string[]) | undefined;
  app.setNotFoundHandler((request, reply) => {
    const isMachines = MACHINE_PATHS.some((path) => request.url.startsWith(`${path}/`));
    const wantsPage = request.method === "GET" && (request.headers.accept ?? "").includes("text/html");
    if (isBuilt && wantsPage && !isMachines) return reply.sendFile("index.html");
    methodsAt ??= methodsOf(app.routeKeys);
    refuseOtherMethod(methodsAt, request, reply);
    return notFound(request, reply);
  });
}
