// The hub's HTTP side, built apart from listening so that tests can inject requests.
import { existsSync } from "node:fs";
import cookie from "@fastify/cookie";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { DEVICE_ROUTES } from "@context-edge/protocol";
import { guardPeople } from "./auth/people.ts";
import { answerProblems, notFound } from "./auth/problems.ts";
import { addSecurityHeaders } from "./auth/security-headers.ts";
import type { Hub } from "./hub.ts";
import { addDeploymentRoutes } from "./routes/deployments.ts";
import { addDeviceSide } from "./routes/device-side.ts";
import { addDevicesRoutes } from "./routes/devices.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addGroupRoutes } from "./routes/groups.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addMlopsDeployRoutes } from "./routes/mlops-deploy.ts";
import { addMlopsModelRoutes } from "./routes/mlops-models.ts";
import { addSessionRoutes } from "./routes/session.ts";
import { addUploadRoutes } from "./routes/uploads.ts";
import { addVersionRoutes } from "./routes/versions.ts";

const JSON_LIMIT_BYTES = 1_048_576;

export async function buildApp(hub: Hub): Promise<FastifyInstance> {
  const app = Fastify({
    // One line per request would halve the poll rate; what matters is told by events and metrics.
    logger: false,
    bodyLimit: JSON_LIMIT_BYTES,
    forceCloseConnections: true,
    requestTimeout: 0,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app, hub.log);
  addSecurityHeaders(app);
  await app.register(cookie);
  await app.register(swagger, {
    openapi: { info: { title: "Context Edge", version: "0.1.0" } },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: "/api/docs" });
  guardPeople(app, hub.config);

  await app.register(async (scope) => {
    addSessionRoutes(scope, hub);
    addVersionRoutes(scope, hub);
    addGroupRoutes(scope, hub);
    addDevicesRoutes(scope, hub);
    addDeploymentRoutes(scope, hub);
    addEventRoutes(scope, hub);
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
  app.get("/admin/models", { schema: { hide: true } }, (_request, reply) => reply.redirect("/models"));
  const isBuilt = existsSync(dir);
  if (isBuilt) await app.register(fastifyStatic, { root: dir, wildcard: false });
  else {
    app.get("/", { schema: { hide: true } }, (_request, reply) =>
      reply.type("text/plain").send("The dashboard is not built. Run `npm run build`, then start the hub again.\n"),
    );
  }
  app.setNotFoundHandler((request, reply) => {
    const isMachines = MACHINE_PATHS.some((path) => request.url.startsWith(`${path}/`));
    const wantsPage = request.method === "GET" && (request.headers.accept ?? "").includes("text/html");
    if (isBuilt && wantsPage && !isMachines) return reply.sendFile("index.html");
    return notFound(request, reply);
  });
}
